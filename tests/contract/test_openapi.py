"""The OpenAPI of the gateway: valid, complete, and true of the services behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.documents.main import build as build_documents
from services.intake.catalogue import load_catalogue
from services.intake.main import build as build_intake
from services.tickets.main import build as build_tickets
from shared.contracts.letters import LetterFault
from shared.contracts.tickets import StaffReason
from tests.identity import Provider, documents_settings, intake_settings, tickets_settings

Document = dict[str, Any]
OWN = {
    "/v1/requests",
    "/v1/requests/{request_id}",
    "/v1/requests/{request_id}/private-fields",
    "/v1/request-types",
    "/v1/forms/group-por-transfer",
    "/v1/tickets/{number}/letters",
}
FORWARDED = {
    "/v1/tickets": "tickets",
    "/v1/tickets/{number}": "tickets",
    "/v1/tickets/counts": "tickets",
    "/v1/tickets/stream": "tickets",
    "/v1/tickets/reasons": "tickets",
    "/v1/tickets/{number}/status": "tickets",
    "/v1/tickets/{number}/claim": "tickets",
    "/v1/tickets/{number}/assignment": "tickets",
    "/v1/tickets/{number}/notes": "tickets",
    "/v1/tickets/{number}/withdrawal": "tickets",
    "/v1/tickets/{number}/answers": "tickets",
    "/v1/letters/{letter_id}": "documents",
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    """The services with an HTTP door, built and not started."""
    keys = Provider(tmp_path_factory.mktemp("keys")).key_file
    return {
        "intake": build_intake(intake_settings(keys)),
        "tickets": build_tickets(tickets_settings(keys)),
        "documents": build_documents(documents_settings(keys)),
    }


@pytest.fixture(scope="module")
def documents(apps: dict[str, FastAPI]) -> dict[str, Document]:
    """Each service's OpenAPI document."""
    return {name: app.openapi() for name, app in apps.items()}


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Every operation as (path, method, operation)."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def whole(value: Any, document: Document) -> Any:
    """A part of a document with its references replaced by what they point to."""
    if isinstance(value, dict):
        if "$ref" in value:
            found: Any = document
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            return whole(found, document)
        return {name: whole(each, document) for name, each in value.items()}
    return [whole(each, document) for each in value] if isinstance(value, list) else value


def parameters(operation: Document, document: Document) -> dict[tuple[str, str], Any]:
    """An operation's parameters by place and name."""
    found = whole(operation.get("parameters", []), document)
    return {(each["in"], each["name"]): (each["required"], each["schema"]) for each in found}


def succeeds(operation: Document, document: Document) -> Document:
    """What an operation answers when all is well: content by status."""
    return {
        status: whole(answer.get("content", {}), document)
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }


def errors(operation: Document) -> set[str]:
    """The error statuses that an operation may answer."""
    return {status for status in operation["responses"] if not status.startswith("2")}


@pytest.mark.parametrize("service", ["intake", "tickets", "documents"])
def test_the_document_is_valid_openapi(documents: dict[str, Document], service: str) -> None:
    """A foreign validator finds nothing wrong with any service's document."""
    OpenAPIV31SpecValidator(documents[service]).validate()


def test_the_validator_does_refuse(documents: dict[str, Document]) -> None:
    """The foreign validator is no rubber stamp: a document without a version is refused."""
    broken = {name: each for name, each in documents["intake"].items() if name != "info"}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_the_gateway_shows_its_own_routes_and_its_owners(documents: dict[str, Document]) -> None:
    """The gateway's paths are its own and every path of its owners, and no more."""
    assert set(documents["intake"]["paths"]) == OWN | set(FORWARDED)
    for owner in ("tickets", "documents"):
        assert set(documents[owner]["paths"]) == {path for path, name in FORWARDED.items() if name == owner}


@pytest.mark.parametrize("path", list(FORWARDED))
def test_a_forwarded_route_is_its_owners_route(documents: dict[str, Document], path: str) -> None:
    """Methods, parameters, body and success are the owner's, and the route may fail in each of his ways."""
    gateway, owner = documents["intake"], documents[FORWARDED[path]]
    assert set(gateway["paths"][path]) == set(owner["paths"][path])
    for method, theirs in owner["paths"][path].items():
        ours = gateway["paths"][path][method]
        assert parameters(ours, gateway) == parameters(theirs, owner)
        assert whole(ours.get("requestBody"), gateway) == whole(theirs.get("requestBody"), owner)
        assert succeeds(ours, gateway) == succeeds(theirs, owner)
        assert errors(theirs) <= errors(ours)
        assert "503" in errors(ours)


@pytest.mark.parametrize("service", ["intake", "tickets", "documents"])
def test_every_error_is_a_problem_document(documents: dict[str, Document], service: str) -> None:
    """Every error that is documented is application/problem+json and nothing else."""
    document = documents[service]
    wrong = [
        f"{method} {path} {status}: {sorted(operation['responses'][status].get('content', {}))}"
        for path, method, operation in operations(document)
        for status in sorted(errors(operation))
        if list(operation["responses"][status].get("content", {})) != ["application/problem+json"]
    ]
    assert wrong == []
    assert {"type", "title", "status", "detail"} <= set(document["components"]["schemas"]["ProblemDetails"]["required"])


def test_every_route_that_reads_input_may_refuse_it(documents: dict[str, Document]) -> None:
    """Where a parameter or body has a rule, 422 is documented."""
    for path, _, operation in operations(documents["intake"]):
        ruled = operation.get("requestBody") or any(
            set(each["schema"]) & {"format", "minimum", "$ref", "enum"} for each in operation.get("parameters", [])
        )
        assert not ruled or "422" in operation["responses"], path


def test_only_the_catalogue_needs_no_token(documents: dict[str, Document]) -> None:
    """Each route but the catalogue of request types needs a token, says so, and may say 401, 403 and 429."""
    for path, _, operation in operations(documents["intake"]):
        if path == "/v1/request-types":
            assert "security" not in operation
        else:
            assert operation["security"] == [{"HTTPBearer": []}]
            assert {"401", "403", "429"} <= errors(operation)


@pytest.mark.parametrize("service", ["intake", "tickets"])
def test_the_reasons_for_a_move_are_listed(documents: dict[str, Document], service: str) -> None:
    """The body of a move shows every code that may be its reason, and that there may be none."""
    document = documents[service]
    move = whole(document["components"]["schemas"]["StatusMove"], document)
    kinds = move["properties"]["reason"]["anyOf"]
    listed = [code for kind in kinds for code in kind.get("enum", [kind["type"]])]
    assert sorted(listed) == sorted([*LetterFault, *StaffReason, "null"])


def test_the_form_is_documented_field_by_field(documents: dict[str, Document]) -> None:
    """The post of a request shows the fields of each type, which are required, and an example that fits it alone."""
    body = documents["intake"]["paths"]["/v1/requests"]["post"]["requestBody"]["content"]["multipart/form-data"]
    forms = {each["properties"]["request_type"]["const"]: each for each in body["schema"]["oneOf"]}
    assert set(forms) == set(body["examples"]) == set(load_catalogue(None, "Portal").types)
    schema = forms["group-por-change"]
    assert set(schema["required"]) == {
        "request_type",
        "line_of_business",
        "account_number",
        "account_name",
        "por_documentation",
    }
    assert set(schema["properties"]) == {*schema["required"], "effective_date", "comments"}
    assert len(schema["properties"]["line_of_business"]["oneOf"]) == 6
    for code, form in forms.items():
        example = body["examples"][code]["value"]
        Draft202012Validator(form).validate(example)
        assert [each for each in forms if Draft202012Validator(forms[each]).is_valid(example)] == [code]


def test_every_answer_has_an_example_that_is_one(documents: dict[str, Document]) -> None:
    """A portal developer finds an example of every body that is sent or answered as JSON, and each fits its schema."""
    document = documents["intake"]
    for path, method, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for content in (body["content"] for body in (*bodies, *operation["responses"].values()) if "content" in body):
            for kind in (each for each in content if each.endswith("json")):
                schema = whole(content[kind]["schema"], document)
                examples = [content[kind]["example"]] if "example" in content[kind] else schema["examples"]
                assert examples, f"{method} {path}"
                for example in examples:
                    Draft202012Validator(schema).validate(example)


def test_headers_are_documented(documents: dict[str, Document]) -> None:
    """The headers that a client must read are in the document: where to ask, which version, when to come back."""
    found = {
        (path, status): set(answer.get("headers", {}))
        for path, _, operation in operations(documents["intake"])
        for status, answer in operation["responses"].items()
    }
    assert found["/v1/requests", "202"] == found["/v1/requests", "201"] == {"Location", "Preference-Applied"}
    assert found["/v1/tickets/{number}", "200"] == {"ETag"}
    assert found["/v1/letters/{letter_id}", "200"] >= {"Content-Disposition", "ETag"}
    assert all("Retry-After" in names for (_, status), names in found.items() if status in {"429", "503"})
    assert all("WWW-Authenticate" in names for (_, status), names in found.items() if status == "401")
