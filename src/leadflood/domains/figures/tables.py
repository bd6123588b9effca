"""The tables of figures."""

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Integer, Table, Text, Uuid

from leadflood.kernel.db.schema import metadata

workspace_figures = Table(
    "workspace_figures",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("quarter", DateTime(timezone=True), primary_key=True),
    Column("created", Integer, nullable=False),
    Column("enriched", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("latency", ARRAY(Integer), nullable=False),
    Column("leads_total", BigInteger),
)

figures_progress = Table(
    "figures_progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("counted_until", DateTime(timezone=True), nullable=False),
)
