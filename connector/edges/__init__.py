"""Every socket, file and thread: calls and errors are translated here, nothing is decided."""
