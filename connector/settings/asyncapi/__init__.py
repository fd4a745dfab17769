"""The settings as an AsyncAPI 3.0 document: every topic with what is in it (https://www.asyncapi.com/docs/reference)."""
