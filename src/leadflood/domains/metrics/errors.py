"""Why a question about figures is refused: so far, only for what the contracts refuse."""
