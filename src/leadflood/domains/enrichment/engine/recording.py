"""A fetcher that keeps the calls of providers which pass it, without secrets."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from leadflood.domains.enrichment.engine.provider_calls import MAX_TEXT, hidden_in, secret_forms, without_secrets
from leadflood.domains.enrichment.models import Fetcher
from leadflood.domains.enrichment.models.answers import AnswerLost, SourceFailure
from leadflood.domains.enrichment.models.source_tests import SourceTestCall
from leadflood.domains.enrichment.models.sources import ProviderReply
from leadflood.kernel.door.errors import DoorError


class RecordingFetcher:
    """See `leadflood.domains.enrichment.models.Fetcher`. `calls`: those of providers, in their order."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self.calls: list[SourceTestCall] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever else a fetcher can do
        return getattr(self._fetcher, name)

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401  JSON
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        """See `Fetcher.call`."""
        status, text = None, "The call was stopped."
        try:
            reply = await self._fetcher.call(method, url, headers=headers, body=body, secrets=secrets, model=model)
            status, text = reply.status, reply.text
        except (SourceFailure, DoorError) as error:
            text = error.text if isinstance(error, AnswerLost) and error.text else error.sentence
            raise
        else:
            return reply
        finally:
            forms = secret_forms(secrets)
            sent = {name: without_secrets(value, forms) for name, value in (headers or {}).items()}
            content = None if body is None else json.dumps(hidden_in(body, forms), ensure_ascii=False)[:MAX_TEXT]
            self.calls.append(SourceTestCall(method, without_secrets(url, forms), sent, content, status, text))
