"""Language identification, beside the C++ that it replaces, and how often it is right."""
