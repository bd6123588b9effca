"""The company that the domain of an address names."""

from leadflood.kernel.email_parts import to_u_labels

_MAX_ACRONYM = 3
_MIN_NAME_BEFORE_HQ = 4


def probable_company_name(registrable: str) -> str | None:
    """The first label of the company's domain written as a name, without claims about spacing inside it.

    `red-gate.com` gives "Red Gate", `xn--bcher-kva.de` "Bücher", `datadoghq.com` "Datadog", `ibm.com` "IBM".
    """
    label = to_u_labels(registrable).partition(".")[0]
    if label.endswith("hq") and len(label) >= _MIN_NAME_BEFORE_HQ + len("hq"):
        label = label.removesuffix("hq")
    words = [word for word in label.replace("_", "-").split("-") if word]
    if not any(char.isalpha() for char in label):
        return None
    if len(label) <= _MAX_ACRONYM:
        return label.upper()
    return " ".join(word[0].upper() + word[1:] for word in words)
