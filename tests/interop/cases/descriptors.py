"""Our protobuf sources against those that pygnmi ships, and what the gateway says about itself over gRPC."""

from driver.checks import equal, expect
from driver.clients import Pygnmi
from driver.clients.base import SESSIONS
from driver.clients.pygnmi import printed
from driver.process import run

missing = Pygnmi.missing


def _ask(lab):
    job = lab.pygnmi.job(lab.gateway.bearer)
    done = run([Pygnmi.python(), SESSIONS / "descriptors_session.py"], 30, stdin=job)
    expect(done.code == 0, done.text)
    return printed(done.out)[0]


def test_descriptors_agree_with_those_that_pygnmi_ships(lab):
    told = _ask(lab)
    expect(told["messages"] > 30, f"only {told['messages']} messages were compared")
    equal(told["differences"], [], "differences")


def test_reflection_lists_the_services(lab):
    services = _ask(lab)["services"]
    expect("gnmi.gNMI" in services and "grpc.health.v1.Health" in services, f"services: {services}")


def test_grpc_health_says_serving(lab):
    equal(_ask(lab)["health"], "0801", "the HealthCheckResponse, in hexadecimal")
