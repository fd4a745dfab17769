"""What was not read or is lost: interruptions, holes, losses, and how two streams are joined."""
