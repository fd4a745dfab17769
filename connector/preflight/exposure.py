"""Secrets that go over a wire in plain text, and certificates that nobody checks: as set, so never fatal."""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from connector.preflight import Finding, State
from connector.settings.kinds import Option, Options
from connector.settings.sections import Kafka, Pbx, Registry, Settings

_OWN_NAME: Final = "localhost"
_OFF: Final = frozenset({"false", "f", "0"})


def exposed(settings: Settings) -> list[Finding]:
    """Name what listens in, or stands between, could learn or play; ways to this machine itself are none."""
    found = [each for name, pbx in settings.pbx.items() for each in _of_pbx(name, pbx)]
    found += _of_kafka(settings.kafka)
    return [*found, *(_of_registry(settings.registry) if settings.registry else ())]


def _of_pbx(name: str, pbx: Pbx) -> Iterable[Finding]:
    away = [str(each) for each in pbx.addresses if not _is_here(each.host)]
    if pbx.tls is not None and not pbx.tls.verify:
        remedy = f"set pbx.{name}.tls.ca_file, or pin it by pbx.{name}.tls.fingerprint"
        yield _warning(f"{name} TLS", "any certificate is taken: verify is false", remedy)
    if away and pbx.tls is None and pbx.auth == "plain":
        remedy = f'set pbx.{name}.tls, or auth = "md5"'
        yield _warning(f"{name} TLS", f"the secret goes to {', '.join(away)} in plain text", remedy)


def _of_kafka(kafka: Kafka) -> Iterable[Finding]:
    options: Options = {**kafka.librdkafka, **kafka.producer, **kafka.consumer, **kafka.admin}
    protocol = _lower(options.get("security.protocol", ""))
    if protocol.endswith("ssl"):
        if _lower(options.get("enable.ssl.certificate.verification", True)) in _OFF:
            seen = "any certificate is taken: enable.ssl.certificate.verification is false"
            yield _warning("Kafka TLS", seen, "set ssl.ca.location instead")
        elif _lower(options.get("ssl.endpoint.identification.algorithm", "https")) == "none":
            seen = "a certificate for any host is taken: ssl.endpoint.identification.algorithm is none"
            yield _warning("Kafka TLS", seen, "reach the brokers by names that are in their certificates")
    mechanism = _lower(options.get("sasl.mechanism", options.get("sasl.mechanisms", "")))
    if protocol == "sasl_plaintext" and mechanism == "plain":
        seen = "the password goes to the brokers in plain text"
        yield _warning("Kafka TLS", seen, "set security.protocol to SASL_SSL")


def _of_registry(registry: Registry) -> Iterable[Finding]:
    url = urlsplit(registry.url)
    if url.scheme == "http" and (registry.password or registry.token) and not _is_here(url.hostname or ""):
        seen = f"the registry's password or token goes to {url.netloc} in plain text"
        yield _warning("registry TLS", seen, "set registry.url to https, and registry.ca_file if need be")


def _warning(what: str, seen: str, remedy: str) -> Finding:
    return Finding(what, State.WARNING, seen, remedy)


def _lower(option: Option) -> str:
    return str(option).lower()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == _OWN_NAME
