"""What holds for every test: an environment of our own, and laws that give CI the same examples each time."""

import os

from hypothesis import settings

KEPT = ("AMI_KAFKA_PARTS", "AMI_KAFKA_DEBIAN_MIRROR", "AMI_KAFKA_REQUIRE_REAL", "AMI_KAFKA_TEST_")
"""Settings of whoever runs the tests would change what they test; these tell where the real parts are."""

for name in list(os.environ):
    if name.startswith("AMI_KAFKA") and not name.startswith(KEPT):
        del os.environ[name]

# Two cores are shared with real parts: a deadline would measure them, not us.
settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")
