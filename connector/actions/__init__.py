"""The road back, pure: requests from a topic to AMI actions, and their answers to responses."""
