"""The addresses of block types: taken, changed and refused as pydantic's HttpUrl does, which is asked itself."""
import itertools

import pydantic
import pytest

from tests.lib.api_client import NOBODY, unique

WRITTEN = [
    "https://x.example/a.png", " https://x.example ", "HTTP://X.EXAMPLE", "hTTps://x.example:80", "", "   ", "nope",
    "//x.example", "x.example", "ftp://x.example", "h://x.example", "1http://x.example",
    "http:/x.example", "http:x.example", "http://", "https://", "http:///path", "http://?q=1", "http://#f",
    "http://:80", "http://localhost", "http://localhost:4200/a", "http://a", "http://a.b", "http://a.bc", "http://a.b1",
    "http://a.com.", "http://a..com", "http://.com", "http://a.com..", "http://-a.com", "http://a-.com",
    "http://a_b.com", "http://_a.com", "http://1.2.3.4", "http://1.2.3.4:80/x", "http://999.1.2.3", "http://1.2.3.4567",
    "http://1.2.3", "http://1.2.3.4.5", "http://1.2.3.4.com", "http://1.2.3.4/", "http://1.2.3.4?x", "http://[::1]",
    "http://[::1]:80", "http://[1:2:3]", "http://[::1", "http://[]", "http://[1]", "http://[g::1]", "http://[::1]x",
    "http://[FE80::1]/p", "http://user@x.example", "http://user:pass@x.example/p", "http://user:p:q@x.example",
    "http://a@b@x.example", "http://:pass@x.example", "http://@x.example", "http://u:@x.example", "http://x.example/@y",
    "http://u:p@q@x.example", "http://u?x@x.example", "http://x.example:", "http://x.example:80",
    "http://x.example:65535", "http://x.example:65536", "http://x.example:99999999999", "http://x.example:8a",
    "http://x.example:80:90", "http://x.example:/p", "http://x.example/a b", "http://x.example/a\tb",
    "http://x.example/é", "http://x.example?a=é#ü", "http://x.example?q", "http://x.example?", "http://x.example#",
    "http://x.example#f#g", "http://x.example#f g", "http://x.example?q?r#f", "http://x.example/p?q=1&r=2#f/g?h",
    "http://x.example/" + "a" * 2066, "http://x.example/" + "a" * 2067, "http://" + "a" * 63 + ".com",
    "http://" + "a" * 64 + ".com", "http://a." + "b" * 63, "http://a." + "b" * 64, "http://a.com\u00a0",
    "http://a.com/\u00a0x", "http://a.com/\u2003x", "http://a com", "http://a,b.com", "http://a{b.com",
    "http://a~b.com", "http://a!b.com", "http://a.c-m", "http://a.c_m", "http://a.xn--p1ai", "http://a.XN--P1AI:80/x",
    "http://xn--a.com", "http://a.xn--p", "http://münchen.de", "http://münchen.de:80/x?y#z", "https://münchen.de:443/x",
    "https://münchen.de:80/x", "http://MÜNCHEN.de", "http://例え.jp", "http://例え.テスト", "http://пример.рф/путь?a=б",
    "http://u:p@пример.рф:8080", "http://é", "http://a.é", "http://a.éé", "http://a.日本", "http://a.1é",
    "HTTP://münchen.de:80", "HTTP://münchen.de:443", 5, True, 1.5, None, [], {}, ["http://x.example"],
]
PARTS = (["http://", "https://", "HTTPS://", "http:", "git+ssh://"], ["", "u@", "u:p@"],
         ["x.example", "localhost", "10.0.0.1", "[::1]", "a..b", ""], ["", ":1", ":70000"],
         ["", "/p", "?q", "#f", "/p x"])
URLS = WRITTEN + ["".join(parts) for parts in itertools.product(*PARTS)]


class Address(pydantic.BaseModel):
    logo_url: pydantic.HttpUrl


def expected(url):
    """What becomes of the address, or what is wrong with it."""
    if url is None:
        return None, None
    try:
        return str(Address(logo_url=url).logo_url), None
    except pydantic.ValidationError as error:
        return None, [{key: value for key, value in item.items() if key != "ctx"} for item in error.errors()]


def refusals(answer):
    details = answer.json()["exception_detail"]
    return [{"loc": tuple(item["loc"][1:]), "msg": item["msg"], "type": item["type"]} for item in details]


def wrong(api, url):
    """What the server makes of the address, where that is not what pydantic says."""
    kept, errors = expected(url)
    if errors:
        answer = api.patch(f"/block_types/{NOBODY}", {"logo_url": url})
        actual = refusals(answer) if answer.status_code == 422 else answer.status_code
        return None if actual == errors else (url, errors, actual)
    name = unique("url")
    answer = api.post("/block_types/", {"name": name, "slug": name, "logo_url": url, "documentation_url": url})
    actual = [answer.json().get(key) for key in ("logo_url", "documentation_url")] if answer.status_code == 201 \
        else answer.json()
    return None if actual == [kept, kept] else (url, kept, actual)


@pytest.mark.parametrize("start", range(0, len(URLS), 40))
def test_addresses(api, start):
    assert [found for found in (wrong(api, url) for url in URLS[start:start + 40]) if found] == []


def test_what_an_error_tells_of_an_address(api):
    answer = api.patch(f"/block_types/{NOBODY}",
                       {"logo_url": "http://x.example/a 'b'", "documentation_url": "ftp://x.example"})
    first, second = answer.json()["exception_detail"]
    assert first["ctx"] == {"extra": " 'b'"} and sorted(second["ctx"]["allowed_schemes"]) == ["http", "https"]
