"""Foreign bytes, mutated for as long as one likes; one module for each reader of them."""
