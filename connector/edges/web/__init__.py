"""The HTTP server: probes, metrics, status, and the page that shows it. Read only."""
