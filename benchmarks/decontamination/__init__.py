"""How much of planted evaluation items `decontaminate` finds, what it finds where there is none, and how fast."""
