"""The road from AMI to Kafka as functions from values to values."""
