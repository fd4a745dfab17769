"""Coroutines that carry values between the ports; they wait and report, and decide nothing."""
