"""Everything that leaves towards a model passes here: redaction, fencing, tables, truncation."""
