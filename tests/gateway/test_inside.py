from __future__ import annotations

import configparser
import tomllib

from atoll.gateway import inside_configuration, inside_variables, write_configuration


def test_every_tool_is_set_to_the_gateway_and_to_nothing_else():
    texts = inside_configuration(4000)
    # Each is where a variable says.
    assert set(texts) <= set(inside_variables(login="ada", project="heart").values())
    assert len(texts) == 5
    for path, text in texts.items():
        addresses = [word for word in text.replace('"', " ").replace("=", " ").split() if "://" in word]
        assert addresses, path
        assert all(address.startswith("http://127.0.0.1:4000/") for address in addresses), path


def test_the_texts_are_in_their_formats():
    texts = inside_configuration()
    pip = configparser.ConfigParser()
    pip.read_string(texts["/run/gw/pip.conf"])
    assert pip["global"]["index-url"] == "http://127.0.0.1:3141/pypi/simple/"
    assert tomllib.loads(texts["/run/gw/uv.toml"])["index"][0]["default"] is True
    assert "prefix=${HOME}/.local" in texts["/run/gw/npmrc"]


def test_variables_hold_who_and_no_secret():
    variables = inside_variables(login="ada@hospital", project="heart")
    assert variables["ATOLL_URL"] == "http://127.0.0.1:3141"
    assert variables["GIT_AUTHOR_EMAIL"] == "ada@hospital"
    assert inside_variables(login="ada", project="heart")["GIT_AUTHOR_EMAIL"] == "ada@atoll.invalid"
    assert "ATOLL_TOKEN" not in variables


def test_the_texts_lie_beside_the_socket_for_the_machine_to_read(tmp_path):
    write_configuration(tmp_path / "gw", 4000)
    write_configuration(tmp_path / "gw")
    found = {path.name: path for path in (tmp_path / "gw").iterdir()}
    assert set(found) == {"pip.conf", "uv.toml", "npmrc", "Rprofile.site", "gitconfig"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in found.values())
    assert found["pip.conf"].read_text() == inside_configuration()["/run/gw/pip.conf"]
