"""The one `MetaData` that every domain's tables join, so that a test can hold them against the real schema."""

from sqlalchemy import MetaData

metadata = MetaData()
