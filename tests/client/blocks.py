"""What test_blocks.py has the client do with blocks: types of its own, saved, loaded, nested, overwritten, with
secrets. Prints what came back."""
import json
import sys
from typing import List, Optional, Union

from prefect.blocks.core import Block
from prefect.blocks.fields import SecretDict
from prefect.blocks.system import JSON, DateTime, Secret, String
from prefect.filesystems import LocalFileSystem, RemoteFileSystem
from prefect.infrastructure import DockerContainer, KubernetesJob, Process
from prefect.infrastructure.docker import DockerRegistry
from pydantic import BaseModel, SecretStr


class Place(BaseModel):
    city: str
    key: Optional[SecretStr] = None


class Door(Block):
    """A door & its <lock>."""
    _block_type_name = "Test Door"
    _logo_url = "https://x.example/door.png"
    _block_schema_capabilities = ["open", "close"]
    code: SecretStr
    colour: str = "red"


class Window(Block):
    panes: int = 1


class House(Block):
    _block_type_slug = "test-house"
    door: Door
    either: Optional[Union[Door, Window]] = None
    place: Optional[Place] = None
    safe: Optional[SecretDict] = None
    names: List[str] = []


def shown(block):
    """A block with its secrets in clear."""
    def plain(value):
        if hasattr(value, "get_secret_value"):
            return plain(value.get_secret_value())
        if isinstance(value, BaseModel):
            return {key: plain(getattr(value, key)) for key in value.__fields__ if not key.startswith("_")}
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value
    return plain(block)


def tell(what, value):
    print(what, json.dumps(value, sort_keys=True, default=str))


def fails(what, function):
    try:
        function()
        tell(what, "nothing was wrong")
    except Exception as error:
        tell(what, [type(error).__name__, str(error)])


def simple():
    for name, block in (
            ("text", String(value="é 🙂")), ("secret", Secret(value="hidden")),
            ("json", JSON(value={"a": [1, 2.5, None]})), ("date", DateTime(value="2023-01-02T03:04:05+00:00")),
            ("files", LocalFileSystem(basepath="/nowhere")), ("process", Process(command=["ls"], env={"A": "b"})),
            ("remote", RemoteFileSystem(basepath="memory://x", settings={"key": "s"}))):
        block.save(name)
        tell(name, shown(type(block).load(name)))
    fails("twice", lambda: String(value="x").save("text"))
    String(value="newer").save("text", overwrite=True)
    tell("overwritten", String.load("text").value)
    fails("none", lambda: String.load("none"))
    fails("bad name", lambda: String(value="x").save("Bad Name"))
    tell("anonymous", len(str(String(value="x")._save(is_anonymous=True))))
    tell("any class", type(Block.load("string/text")).__name__)


def nested():
    door, window = Door(code="1234"), Window(panes=3)
    House(door=door, either=window, place=Place(city="Rome", key="k"), safe={"a": "s", "b": {"c": "t"}},
          names=["x", "y"]).save("inline")
    tell("inline", shown(House.load("inline")))
    door.save("front")
    house = House(door=door, either=Window(panes=2), safe={"a": "s"})
    house.save("villa")
    tell("referred", shown(House.load("villa")))
    Door(code="9999", colour="blue").save("front", overwrite=True)
    tell("door changed", shown(House.load("villa")))
    again = House.load("villa")
    again.names, again.door = ["new"], Door(code="5555")
    again.save("villa", overwrite=True)
    tell("inlined", shown(House.load("villa")))
    again.door = Door.load("front")
    again.save("villa", overwrite=True)
    tell("referred again", shown(House.load("villa")))
    registry = DockerRegistry(username="u", password="p", registry_url="r.example")
    registry.save("registry")
    DockerContainer(image="x", image_registry=registry).save("container")
    tell("container", shown(DockerContainer.load("container"))["image_registry"])
    KubernetesJob(image="x").save("job")
    tell("job", KubernetesJob.load("job").image)


if __name__ == "__main__" and len(sys.argv) > 1:
    {"simple": simple, "nested": nested}[sys.argv[1]]()
