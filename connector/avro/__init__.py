"""Avro as a language: schemas, AMI text to typed values, encoding; the only users of fastavro."""
