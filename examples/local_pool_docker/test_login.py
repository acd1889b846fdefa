"""Testcontainers: each run of the tests has a pool of its own in a container. Needs Docker and testcontainers.

The command of the image names a file for the state. Another command replaces it, so this pool is in memory.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from srpcore import Cognito

PORT = 9229


@pytest.fixture(scope="session")
def pool_url() -> Iterator[str]:
    with DockerImage(path=Path(__file__).parent, tag="srpcore-local-pool") as image:
        container = DockerContainer(str(image)).with_command(["--json"]).with_exposed_ports(PORT)
        container.with_envs(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
        with container.waiting_for(HealthcheckWaitStrategy()):
            yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(PORT)}"


def test_alice_logs_in(pool_url: str) -> None:
    with Cognito("us-east-1_Develop01", "develop", username="alice", endpoint_url=pool_url) as user:
        user.authenticate(password="Correct-Horse-1")
        assert user.get_user().email == "alice@example.com"
