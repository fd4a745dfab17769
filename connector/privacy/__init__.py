"""Which values leave the house, and in which form: rules, and frames to which they are applied."""
