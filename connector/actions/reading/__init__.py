"""Records of the request topics to requests."""
