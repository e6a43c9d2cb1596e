"""2.1: a token in the environment, who shares it and who can read it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from findings.checks import credentials, written_out
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import rbac, secrets
from findings.platform.model import Platform, Resource, places, unique
from findings.platform.patterns import of_names
from findings.platform.rbac import Rights
from findings.platform.secrets import How, SecretUse
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, input_of

META = Meta(
    id="secret-in-env",
    seed="2.1",
    title="A token is in the environment of pods",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    outcome=Outcome.BREACH,
    means="A container gets a token as an environment variable. The pod's specification shows only where it comes "
    "from; the token itself is in the process, in everything it starts, in /proc and in what a crash writes down. Or a "
    "credential is written out: a token anywhere, a password or a key that signs in a ConfigMap, in a pod's "
    "environment, in Terraform or in values of Helm.",
    why="Whoever may read the Secret or open a shell in one of the pods has the token, and whatever it opens. All "
    "workloads that share it are one identity: nobody can tell them apart afterwards, and none can be shut out alone. "
    "A variable keeps its value until the process starts again, so a revoked token and a new one need a restart.",
    not_a_problem="The token opens one thing of little worth, belongs to this workload alone and ends within hours.",
    remedy="Let the workload prove its identity and fetch credentials that end soon, with Vault Agent, the CSI driver, "
    "the Vault Secrets Operator or a projected service account token. Let few read Secrets or open a shell.",
    patch="""metadata:
  annotations:
    vault.hashicorp.com/agent-inject: "true"
    vault.hashicorp.com/role: api
    vault.hashicorp.com/agent-inject-secret-db: database/creds/api""",
    analysis="It says that whoever may list pods sees the token. The pod's specification shows only the reference; "
    "the token is seen by whoever may read the Secret or open a shell in the pod.",
    remedies=("vault-agent-injection",),
    references=(
        "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
        "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
        "https://developer.hashicorp.com/vault/docs/platform/k8s/injector",
    ),
)

# Credentials that open further credentials, or an account: one of them is all of them.
_OPENS_MORE = of_names(
    r"(?:.*_)?(?:VAULT_TOKEN|VAULT_SECRET_ID|CONSUL_HTTP_TOKEN|NOMAD_TOKEN|AWS_SECRET_ACCESS_KEY|AZURE_CLIENT_SECRET"
    r"|OP_SERVICE_ACCOUNT_TOKEN|DOPPLER_TOKEN|INFISICAL_TOKEN|KUBE_TOKEN|KUBERNETES_TOKEN)"
)
_TOKEN = of_names(r"(?:.*_)?TOKEN")
_READS = (("secrets", ("get", "list", "watch")), ("pods/exec", ("create", "get")), ("pods/attach", ("create", "get")))
_REFERENCE_ONLY = "Reading pods alone is not counted: it shows the reference to the Secret and not what it holds."
_OUTSIDE = (
    "A group counts as one. What bindings outside these files give, and what creating a pod gives, is not counted."
)


def is_token(variable: str) -> bool:
    name = variable.upper()
    return _TOKEN(name) or _OPENS_MORE(name)


def workloads_sharing(subjects: Iterable[str]) -> int:
    """How many workloads take the same key of the same Secret, each counted once."""
    return len(set(subjects))


def principals_who_can_read(principals: Iterable[str]) -> int:
    """How many users, groups and service accounts may read the Secret or open a shell where it is used.

    Source: Kubernetes, Secrets good practices: get, list and watch on secrets, and exec into a pod, reveal them.
    """
    return len(set(principals))


@dataclass(frozen=True)
class _Token:
    """One key of one Secret that some environment holds."""

    namespace: str
    secret: str
    key: str
    variables: tuple[str, ...]
    uses: tuple[SecretUse, ...]  # all uses, files too

    @property
    def subject(self) -> str:
        return "/".join(part for part in ("Secret", self.namespace, self.secret) if part)


def run(platform: Platform) -> Iterator[Verdict]:
    uses = secrets.uses(platform)
    tokens, unsure = _tokens(platform, uses)
    rights = rbac.rights(platform)
    stated = list(_written_out(platform))
    yield from stated
    told = {(place.path, place.line) for each in stated for place in each.places}
    seen: set[tuple[str, str]] = set()
    for config_map in platform.of_kind("ConfigMap"):
        # What stands in files within several of one name in one file is told with the first of them.
        is_first = (config_map.id, config_map.path) not in seen
        seen.add((config_map.id, config_map.path))
        yield from _in_config_map(platform, config_map, told, with_files=is_first)
    elsewhere = [_held(each) for each in credentials.everywhere(platform, told)]
    yield from elsewhere
    for token in tokens:
        yield from _judged(platform, token, rights)
    unsure += (*_handed_over(platform), *_of_developers(platform, told))
    yield from unsure
    doubtful = {each.subject for each in (*stated, *elsewhere)} | {each.subject for each in unsure}
    doubtful |= {use.subject for token in tokens for use in token.uses}
    yield from (Pass(each.id, (each.resource.place(),)) for each in platform.running if each.id not in doubtful)


def _handed_over(platform: Platform) -> Iterator[Unsure]:
    """Tokens that services of docker-compose take over from whoever starts them: `VAULT_TOKEN: ${VAULT_TOKEN}`. On a
    developer's machine that is the developer's own; on a server it is in `docker inspect`. The file does not say."""
    for service in platform.compose_services:
        for container in service.containers:
            for name, variable in container.env.items():
                if variable.secret and is_token(name):
                    yield Unsure(
                        service.id,
                        f"{name} is handed over by whoever starts this file; whose token that is, it does not say",
                        f"a file instead of the variable: `secrets:` of the service {service.resource.name}",
                        variable.place,
                    )


def _of_developers(platform: Platform, told: set[tuple[str, int | None]]) -> Iterator[Unsure]:
    """Passwords in docker-compose where no file for production has them: on a developer's machine they open nothing."""
    for held in credentials.of_compose(platform, told, for_production=False):
        chosen = {name: place for name, (place, value) in held.found.items() if not written_out.is_plain(value)}
        if not chosen:
            continue  # `postgres`: nobody would take it for one that opens anything
        place, names = next(iter(chosen.values())), ", ".join(list(chosen)[:4])
        reason = f"{names} is written out, and whether anything but a developer's machine runs this is not said"
        yield Unsure(held.subject, reason, "the file for production, or `secrets:` of the service", place)


def _tokens(platform: Platform, uses: Sequence[SecretUse]) -> tuple[list[_Token], list[Unsure]]:
    held: dict[tuple[str, str, str], list[str]] = {}
    unsure: list[Unsure] = []
    for use in uses:
        if use.how != How.ENV:
            continue
        if use.key:
            variables = [(use.key, use.variable)]
        else:
            keys = secrets.keys_of(platform, use.namespace, use.secret)
            if keys is None:
                unsure.append(_unlisted(use))
                continue
            variables = [(key, use.variable + key) for key in keys]
        for key, variable in variables:
            if is_token(variable):
                held.setdefault((use.namespace, use.secret, key), []).append(variable)
    tokens = [
        _Token(namespace, secret, key, tuple(unique(variables)), tuple(_sharing(platform, namespace, secret, key)))
        for (namespace, secret, key), variables in held.items()
    ]
    return tokens, unsure


def _sharing(platform: Platform, namespace: str, secret: str, key: str) -> Iterator[SecretUse]:
    return (use for use in secrets.by_secret(platform)[namespace, secret] if use.key in ("", key))


def _unlisted(use: SecretUse) -> Unsure:
    return Unsure(
        use.subject,
        f"it takes all of Secret {use.secret}, whose keys are not in these files",
        f"facts: secrets.{use.secret}.keys",
        use.place,
    )


def _judged(platform: Platform, token: _Token, rights: Rights) -> Iterator[Verdict]:
    subjects = unique(use.subject for use in token.uses)
    by_subject = {use.subject: use for use in reversed(token.uses)}
    terms = tuple(
        Input(subject, 1, "workloads", Source.FILE, by_subject[subject].place.path, by_subject[subject].place.line)
        for subject in subjects
    )
    fragments = any(use.workload is None for use in token.uses)
    notes = ("A fragment without its workload counts as one.",) if fragments else ()
    quantities = [
        Quantity("workloads_sharing_secret", workloads_sharing(subjects), "workloads",
                 "workloads that take this key of this Secret", terms, notes),
    ]  # fmt: skip
    readers = _readers(platform, token, rights)
    told = ""
    if isinstance(readers, Quantity):
        quantities.append(readers)
        told = f"; {_counted(readers.value, 'principal')} can read it"
    name = ", ".join(token.variables)
    yield Fail(
        token.subject,
        f"{name} is in the environment of {_counted(len(subjects), 'workload')}{told}",
        f"The key {token.key} of Secret {token.secret} is in the environment as {name}, of: {', '.join(subjects)}.",
        places(*(use.place for use in token.uses)),
        tuple(quantities),
        None if any(_OPENS_MORE(each.upper()) for each in token.variables) else Severity.MEDIUM,
        token.key,
    )
    if isinstance(readers, Unsure):
        yield readers


def _readers(platform: Platform, token: _Token, rights: Rights) -> Quantity | Unsure:
    stated = platform.facts.number(f"secrets.{token.secret}.principals")
    if stated is not None:
        return Quantity("principals_who_can_read", stated.value, "principals", "as stated",
                        (input_of("principals", stated, "principals"),))  # fmt: skip
    applies = [each for each in rights.grants if each.namespace in (None, token.namespace)]
    unread = unique(name for name, namespace in rights.unread if namespace in (None, token.namespace))
    if not applies:
        return Unsure(
            token.subject,
            "no role is bound in its namespace in these files, so who can read it cannot be told",
            f"facts: secrets.{token.secret}.principals, or the RoleBindings of its namespace",
            token.uses[0].place,
        )
    pods = {use.workload.resource.name for use in token.uses if use.workload is not None}
    readers = [each for each in applies if _reads(each.rule, token.secret, pods)]
    terms = tuple(
        Input(each.principal, each.role, "role", Source.FILE, each.place.path, each.place.line)
        for each in {each.principal: each for each in reversed(readers)}.values()
    ) or tuple(
        Input(each.principal, each.role, "role that does not read it", Source.FILE, each.place.path, each.place.line)
        for each in applies[:20]
    )
    notes = (_REFERENCE_ONLY, _OUTSIDE, *(f"The role {name} is not in these files." for name in unread))
    return Quantity("principals_who_can_read", principals_who_can_read(each.principal for each in readers),
                    "principals", "subjects bound to get, list or watch of the Secret, or to exec or attach in a pod",
                    terms, notes)  # fmt: skip


def _reads(rule: rbac.Rule, secret: str, pods: set[str]) -> bool:
    for resource, verbs in _READS:
        if not rule.allows("", resource, verbs):
            continue
        if not rule.names or (secret in rule.names if resource == "secrets" else _names_one_of(rule, pods)):
            return True
    return False


def _names_one_of(rule: rbac.Rule, workloads: set[str]) -> bool:
    """Pods are called by their workload's name and something after it."""
    return any(name == each or name.startswith(f"{each}-") for name in rule.names for each in workloads)


def _written_out(platform: Platform) -> Iterator[Fail]:
    """Tokens whose value stands in the files: there everybody who reads the files, or pods, has them."""
    seen: set[tuple[str, str]] = set()
    for setting in platform.settings:
        last = setting.key.rpartition(".")[2]
        value = setting.value.value
        if not is_token(last) or not isinstance(value, str) or (setting.scope, last) in seen:
            continue
        if setting.scope != setting.value.place.path and setting.value.place.path in platform.loose_settings:
            continue  # told where it stands: an env_file that services of compose take over
        if not written_out.is_known_form(value):
            continue  # a placeholder, the name of a file, a special word of a tokenizer
        seen.add((setting.scope, last))
        place = setting.value.place
        yield Fail(
            setting.scope,
            f"The value of {last} is written out",
            f"{last} is given as a value in {place.path}, line {place.line}: whoever reads this file, the repository's "
            "past or the pods has it. It must be revoked.",
            places(place),
            (
                Quantity("workloads_sharing_secret", 1, "workloads", "workloads that state this value",
                         (Input(setting.scope, 1, "workloads", Source.FILE, place.path, place.line),)),
            ),
            Severity.CRITICAL,
            last,
        )  # fmt: skip


def _in_config_map(
    platform: Platform, config_map: Resource, told: set[tuple[str, int | None]], *, with_files: bool
) -> Iterator[Fail]:
    """What a Secret is for, where many more may read it."""
    held = credentials.Held(config_map.id, "a ConfigMap", _CONFIG_MAP)
    for key, value, place in written_out.in_config_map(platform, config_map, with_files=with_files):
        is_held = written_out.is_credential(key, value) or (
            is_token(key.rpartition(".")[2]) and written_out.is_known_form(value)
        )
        if is_held and (place.path, place.line) not in told:
            held.found.setdefault(key, (place, value))
    for file, place in written_out.in_scripts(config_map):
        held.found.setdefault(f"{file} (line {place.line})", (place, ""))
    if held.found:
        yield _held(held)


_CONFIG_MAP = "The role view reads ConfigMaps and no Secrets, and whoever has the repository or its past has this file."


def _held(held: credentials.Held) -> Fail:
    terms = tuple(
        Input(key, "written out", "", Source.FILE, place.path, place.line) for key, (place, _) in held.found.items()
    )  # the value is nobody's business
    names = ", ".join(list(held.found)[:4]) + (" …" if len(held.found) > 4 else "")
    is_for_development = all(written_out.is_for_development(value) for _, value in held.found.values())
    said = "They say of themselves that they are for development." if is_for_development else "It must be changed."
    return Fail(
        held.subject,
        f"{_counted(len(held.found), 'credential')} written out in {held.where}: {names}",
        f"{held.why} {said}",
        places(*(place for place, _ in held.found.values())),
        (Quantity("credentials_written_out", len(held.found), "credentials", "values that are credentials", terms),),
        Severity.LOW if is_for_development else held.severity,
        "written out",
    )


def _counted(count: object, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
