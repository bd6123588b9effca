"""Labels of contestants and floors in the results."""

OURS = "leadflood"
FLOOR = "floor: lead_tx"
BULK_FLOOR = "floor: lead_batch50"
FLOORS = {
    "lead_tx": (1, "three inserts, one transaction, five round trips"),
    "lead_pipeline": (1, "the same as one pipeline"),
    "lead_batch50": (50, "50 leads a statement"),
}
