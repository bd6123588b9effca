"""Twin of a language model behind an API like OpenAI's, from its documentation.

It reads, instead of a model, with patterns what pages say, and counts four bytes as a token.
"""

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.providers.twin import Twin, TwinCall, json_page

MODEL: Final = "demo-small"
OUTPUT_WEIGHT: Final = 4
_BYTES: Final = 4
_PATTERNS: Final[Mapping[str, str]] = {
    "founded": r"(?:since|seit|depuis|desde|dal|sinds|sedan|od) ([0-9]{4})",
    "employees": r"^([0-9]+) \u00b7 ",
    "industry": r"^[0-9]+ \u00b7 (\S.*)$",
    "legal_form": r"\b(GmbH|AG|Inc\.|Ltd|S\.p\.A\.|SAS|B\.V\.|AB)(?!\w)",
}
"""Patterns by field: the value is the first group, the quote the whole match."""


class LanguageModelTwin(Twin):
    """Chat completions with structured output. Tokens are charged in thousands, those of answers four times.

    Attributes:
        says: contents of the next answers, in place of its own: those of a model that does what pages say.
        finish: `finish_reason` of answers.
        counts: whether it says how many tokens were used.
    """

    hosts = ("api.models.test",)
    key: ClassVar[str] = "models-demo-key-0007"

    def __init__(self) -> None:
        super().__init__()
        self.says: deque[str] = deque()
        self.finish = "stop"
        self.counts = True

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:  # noqa: ARG002  of all twins
        """The bearer token, which is the only way."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def unauthorized(self) -> SitePage:
        """401."""
        return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")

    def answer(self, call: TwinCall) -> SitePage:
        """A completion."""
        if call.path != "/v1/chat/completions" or call.method != "POST":
            return _error(404, "invalid_request_error", "unknown_url", f"Unknown request URL: {call.path}.")
        body: Mapping[str, Any] = call.body
        if body.get("model") != MODEL:
            return _error(404, "invalid_request_error", "model_not_found", "The model does not exist.")
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        if schema is None or not isinstance(body.get("max_tokens"), int):
            return _error(400, "invalid_request_error", "invalid_value", "response_format and max_tokens are needed.")
        pages = json.loads(body["messages"][-1]["content"])["pages"]
        content = self.says.popleft() if self.says else json.dumps(_read(schema["properties"], pages))
        used_in = _tokens("".join(message["content"] for message in body["messages"]) + json.dumps(schema))
        used_out = min(_tokens(content), body["max_tokens"])
        units = -(-(used_in + OUTPUT_WEIGHT * used_out) // 1000)
        if not self.charge(f"completion {len(self.calls)}", units):
            return _error(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota.")
        message = {"role": "assistant", "content": content, "refusal": None}
        usage = {"prompt_tokens": used_in, "completion_tokens": used_out, "total_tokens": used_in + used_out}
        return json_page(
            {
                "id": f"completion-{len(self.charges)}",
                "object": "chat.completion",
                "model": MODEL,
                "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
                **({"usage": usage} if self.counts else {}),
            }
        )


def _read(wanted: Mapping[str, Any], pages: list[dict[str, Any]]) -> dict[str, list[dict[str, object]]]:
    """Values with quotes, of the first page that has some."""
    found: dict[str, list[dict[str, object]]] = {name: [] for name in wanted}
    for name, pattern in _PATTERNS.items():
        if name not in wanted:
            continue
        for page in pages:
            match = re.search(pattern, page["text"], re.MULTILINE)
            if match is not None:
                number = wanted[name]["items"]["properties"]["value"]["type"] == "integer"
                found[name] = [{"value": int(match[1]) if number else match[1], "quote": match[0]}]
                break
    return found


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // _BYTES)


def _error(status: int, kind: str, code: str, message: str) -> SitePage:
    return json_page({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)
