"""Checks of manifests that no schema makes: quantities, secrets in arguments, probes, time to end in order."""

import re
import sys

import yaml

QUANTITY = re.compile(r"^[0-9]+(\.[0-9]+)?(m|[KMGTPE]i?|k)?$")
# Seconds that a program needs to end in order.
TO_END = {"coordinator": 20, "worker": 45}


def mistakes(manifest):
    where = f"{manifest['kind']} {manifest['metadata']['name']}"
    if manifest["kind"] not in ("StatefulSet", "Deployment", "Job"):
        return
    pod = manifest["spec"]["template"]["spec"]
    if not pod.get("securityContext", {}).get("runAsNonRoot"):
        yield f"{where} may run as root"
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", [])}
    for container in pod["containers"]:
        arguments = container["args"]
        if pod.get("terminationGracePeriodSeconds", 30) < TO_END[arguments[0]]:
            yield f"{where} has less than {TO_END[arguments[0]]} s to end"
        for argument in arguments:
            if re.search(r"acai_(read|submit|worker|admin)_|://[^/@]*:[^/@]*@", argument):
                yield f"{where} has a secret in its arguments"
        for kind in ("requests", "limits"):
            for resource, quantity in container.get("resources", {}).get(kind, {}).items():
                if not QUANTITY.match(str(quantity)):
                    yield f"{where} {kind} {quantity} of {resource}, which is no quantity"
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("readinessProbe", "livenessProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                yield f"{where}: its {probe} asks at {port}, which is no port of it"
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"{where} mounts {mount['name']}, which is no volume of it"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        manifests = [manifest for manifest in yaml.safe_load_all(file) if manifest]
    found = [mistake for manifest in manifests for mistake in mistakes(manifest)]
    for mistake in found:
        print(f"error: {mistake}", file=sys.stderr)
    sys.exit(1 if found or not manifests else 0)


main()
