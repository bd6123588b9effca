"""A language model that reads the pages of a company's website."""

from leadflood.domains.enrichment.sources.language_model.source import (
    UNSET,
    LanguageModel,
    language_model_provider,
)

__all__ = ["UNSET", "LanguageModel", "language_model_provider"]
