"""Extensions of versions of profiles by other domains: panels of the page that publishes one."""

from typing import Final

from leadflood.kernel.extensions import Extensions

ICP_VERSION: Final = "icp_version"
ICP_VERSION_EXTENSIONS: Final = Extensions(ICP_VERSION)
"""Filled by `bootstrap`."""
