"""AMI as a language: frames, messages, actions and the login, without any I/O."""
