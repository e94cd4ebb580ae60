"""What must hold of the compose files, the alarms and the commands in the documents; used by check.sh."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(sys.argv[1])
DEPLOY = ROOT / "deploy"
faults = []


def must(holds, words):
    if not holds:
        faults.append(words)


def check_service(name, service, top, where):
    at = f"{where}: {name}"
    must(service.get("image"), f"{at}: no image")
    must(service.get("read_only") is True, f"{at}: the root is writable")
    must(service.get("cap_drop") == ["ALL"], f"{at}: capabilities are not dropped")
    must(set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}, f"{at}: capabilities are added")
    must(service.get("security_opt") == ["no-new-privileges:true"], f"{at}: new privileges")
    must(re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.get("user", "")), f"{at}: runs as root")
    must(not service.get("privileged"), f"{at}: privileged")
    for key in ("restart", "mem_limit", "pids_limit", "networks", "tmpfs"):
        must(service.get(key), f"{at}: no {key}")
    must(service.get("logging", {}).get("options", {}).get("max-size"), f"{at}: its log has no limit")
    for key, value in (service.get("environment") or {}).items():
        secret = re.search(r"PASSWORD|SECRET|MASTER_KEY|STORE__URL", key) and not key.endswith("_FILE")
        must(not secret, f"{at}: {key} belongs into a file")
        if isinstance(value, str) and value.startswith("/run/secrets/"):
            held = {one if isinstance(one, str) else one["target"] for one in service.get("secrets", [])}
            must(value.rsplit("/", 1)[1] in held, f"{at}: {key} names a secret it is not given")
    for one in service.get("secrets", []):
        source = one if isinstance(one, str) else one["source"]
        must(source in top.get("secrets", {}), f"{at}: the secret {source} is not declared")
    networks = service.get("networks", [])
    for network in networks:
        must(network in top["networks"], f"{at}: the network {network} is not declared")
    must(not service.get("ports") or name == "proxy", f"{at}: only the proxy is reached from outside")
    must("outside" not in networks or name == "proxy", f"{at}: on the outer network")
    for volume in service.get("volumes", []):
        source, _, _ = volume.partition(":")
        if source.startswith("."):
            ours = source.startswith("./secrets/") or (DEPLOY / "compose" / source).resolve().exists()
            must(ours, f"{at}: {source} is not there")
            must(volume.endswith(":ro"), f"{at}: {source} is writable")
        else:
            must(source in top["volumes"], f"{at}: the volume {source} is not declared")


def check_compose(path):
    top = yaml.safe_load(path.read_text())
    where = path.name
    services = top["services"]
    for name, service in services.items():
        check_service(name, service, top, where)
    nodes = [name for name in services if name.startswith("assay-")]
    addresses = services["proxy"]["environment"]["ASSAY_NODES"].split()
    must(addresses == [f"{name}:8080" for name in nodes], f"{where}: the proxy does not know every node")
    proxy = services["proxy"]["networks"]["inside"]["ipv4_address"]
    for name in nodes:
        settings = services[name]["environment"]
        must(settings["ASSAY__SERVER__TRUSTED_PROXIES"] == proxy, f"{where}: {name} trusts another proxy")
        must(settings["ASSAY__SERVER__BEHIND_PROXY"] == "true", f"{where}: {name} would not listen")
        must(settings["ASSAY__KEYS__MASTER_KEY_FILE"] == "/run/secrets/master_key", f"{where}: {name}: the master key")
        if len(nodes) > 1:
            must(settings["ASSAY__STORE__NODE_NAME"] == name, f"{where}: {name} has another's name")
    for name, network in top["networks"].items():
        if name != "outside":
            must(network.get("internal") is True, f"{where}: the network {name} leads outside")
    for secret, source in top["secrets"].items():
        must(source["file"].startswith("./secrets/"), f"{where}: the secret {secret} lies elsewhere")
    check_settings(where, {key for name in nodes for key in services[name]["environment"]})


def check_settings(where, variables):
    """Every setting named by a variable is one that Assay has."""
    settings = (ROOT / "crates/assay/src/settings.rs").read_text()
    for variable in variables:
        section, key = variable.removeprefix("ASSAY__").lower().split("__")
        struct = re.search(rf"struct {section.capitalize()} {{(.*?)\n}}", settings, re.S)
        must(struct and f" {key}:" in struct[1], f"{where}: there is no setting {section}.{key}")


def check_kurrentdb():
    services = yaml.safe_load((DEPLOY / "compose/kurrentdb.yaml").read_text())["services"]
    names = ["kurrentdb-1", "kurrentdb-2", "kurrentdb-3"]
    for name in names:
        service = services[name]
        env = service["environment"]
        seeds = {seed.split(":")[0] for seed in env["KURRENTDB_GOSSIP_SEED"].split(",")}
        must(seeds == set(names) - {name}, f"{name}: it must know the two others")
        address = service["networks"]["store"]["ipv4_address"]
        must(env["KURRENTDB_REPLICATION_IP"] == address, f"{name}: it replicates elsewhere")
        must(env["KURRENTDB_CLUSTER_SIZE"] == "3", f"{name}: a cluster of another size")


def check_alarms():
    rules = yaml.safe_load((DEPLOY / "prometheus/assay.rules.yaml").read_text())
    book = (ROOT / "docs/operations.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "crates").rglob("*.rs") if "target" not in path.parts)
    code += (DEPLOY / "systemd/backup.sh").read_text()
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        must(f"### {rule['alert']}" in book, f"the alarm {rule['alert']} has no place in docs/operations.md")
        for metric in re.findall(r"\bassay_[a-z_]+", rule["expr"]):
            must(metric in code, f"the alarm {rule['alert']} asks for {metric}, which nobody tells")
    alarms = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    for title in re.findall(r"^### ([A-Z][a-z]+[A-Z]\w+)$", book, re.M):
        must(title in alarms, f"docs/operations.md explains {title}, which is no alarm")
    for metric in set(re.findall(r"\bassay_[a-z]+_[a-z_]*[a-z]\b", book)):
        must(metric in code, f"docs/operations.md names {metric}, which nobody tells")


def check_commands():
    """Every subcommand in a document is one that Assay has."""
    cli = (ROOT / "crates/assay/src/cli.rs").read_text()
    body = re.search(r"enum Command {(.*?)\n}", cli, re.S)[1]
    known = {word.lower() for word in re.findall(r"^    ([A-Z]\w+)[(,]", body, re.M)}
    for path in (ROOT / "docs/operations.md", DEPLOY / "README.md"):
        text = path.read_text()
        code = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text))
        for word in re.findall(r"(?:^|[ /])assay ([a-z]+)\b", code, re.M):
            must(word in known, f"{path.name} says `assay {word}`, which there is not")


for compose in sorted((DEPLOY / "compose").glob("*.yaml")):
    check_compose(compose)
check_kurrentdb()
check_alarms()
check_commands()
for fault in faults:
    print(f"deploy: {fault}", file=sys.stderr)
print("deploy: compose files, alarms, settings and commands: " + ("wrong" if faults else "right"))
sys.exit(1 if faults else 0)
