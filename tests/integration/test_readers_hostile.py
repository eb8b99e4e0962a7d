"""Files that attack the reader: every one ends in a cause, none reaches this process."""

from __future__ import annotations

import io
import json
import os
import signal
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import psutil
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from connectors.readers import Limits, ReadError, Sandbox, read_file, reading_json
from connectors.readers import child as child_module
from connectors.readers import sandbox as sandbox_module

MARK = "canary-of-the-host"


def cause_of(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path, limits=limits)
    message = str(caught.value)
    assert message.endswith(".")
    assert str(path) not in message
    assert MARK not in message
    return caught.value.cause


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def docx_of(path: Path, document: str, extra: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<?xml version='1.0'?><Types/>")
        archive.writestr("word/document.xml", document)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def body(text: str) -> str:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return (
        f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>'
        "</w:document>"
    )


def test_an_honest_file_is_read(tmp_path: Path) -> None:
    reading = read_file(write(tmp_path / "note.txt", "Olá, mundo."), name="nota_de_teste.txt")
    assert reading.title == "nota de teste"
    assert [block.text for block in reading.blocks] == ["Olá, mundo."]
    assert json.dumps(reading_json(reading))


def test_missing_folders_empty_and_oversized_files(tmp_path: Path) -> None:
    assert cause_of(tmp_path / "none.txt") == "corrupt"
    assert cause_of(tmp_path) == "unsupported"
    assert cause_of(write(tmp_path / "a.txt", "")) == "empty"
    assert cause_of(write(tmp_path / "b.txt", " \n\t ")) == "empty"
    assert cause_of(write(tmp_path / "c.txt", "x" * 2000), Limits(file_bytes=1000)) == "too_large"


def test_sparse_giants_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "giant.csv"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    assert cause_of(path) == "too_large"


def test_zip_bomb(tmp_path: Path) -> None:
    path = docx_of(tmp_path / "a.docx", body("x"), {"word/media/a.bin": bytes(50_000_000)})
    assert cause_of(path) == "bomb"


def test_entities_in_office_and_xml(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", MARK)
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    for dtd in (
        f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>',
        f'<!DOCTYPE w [<!ENTITY l0 "lol">{laughs}<!ENTITY x "&l9;">]>',
    ):
        text = f'<?xml version="1.0"?>{dtd}{body("&x;")}'
        assert cause_of(docx_of(tmp_path / "a.docx", text)) == "unsafe_xml"
        assert cause_of(write(tmp_path / "a.xml", text)) == "unsafe_xml"


ODT = "application/vnd.oasis.opendocument.text"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
HTML = "application/xhtml+xml"


def package(
    path: Path, kind: str, text: str, dtd: str = "", extra: dict[str, bytes] | None = None
) -> Path:
    """A PPTX, ODT or EPUB with one text, perhaps behind a DTD, and other entries."""
    parts: dict[str, str | bytes]
    if kind == "pptx":
        relation = (
            '<Relationships><Relationship Id="r" Type="x/slide" Target="s.xml"/></Relationships>'
        )
        drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        parts = {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{office}">'
            '<p:sldIdLst><p:sldId r:id="r"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relation,
            "ppt/s.xml": f'{dtd}<p:sld xmlns:p="{SLIDES}" xmlns:a="{drawing}"><p:cSld><p:spTree>'
            f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
            "</p:spTree></p:cSld></p:sld>",
        }
    elif kind == "odt":
        parts = {
            "mimetype": ODT,
            "content.xml": f'{dtd}<o:document-content xmlns:o="{OFFICE}" xmlns:t="{TEXT}"><o:body>'
            f"<o:text><t:p>{text}</t:p></o:text></o:body></o:document-content>",
        }
    else:
        space = "urn:oasis:names:tc:opendocument:xmlns:container"
        parts = {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": f'<c xmlns="{space}"><rootfile full-path="b.opf"/></c>',
            "b.opf": f'<package xmlns="http://www.idpf.org/2007/opf"><item id="a" href="a.xhtml" '
            f'media-type="{HTML}"/><itemref idref="a"/></package>',
            "a.xhtml": f"{dtd}<html><body><p>{text}</p></body></html>",
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (parts | (extra or {})).items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("kind", ["pptx", "odt", "epub"])
def test_bombs_entities_and_paths_in_new_formats(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    assert read_file(package(path, kind, "hello")).blocks[-1].text == "hello"
    assert cause_of(package(path, kind, "x", extra={"media.bin": bytes(50_000_000)})) == "bomb"
    many = {f"n{i}": b"" for i in range(10_001)}
    assert cause_of(package(path, kind, "x", extra=many)) == "bomb"
    secret = write(tmp_path / "secret.txt", MARK)
    for entity in (f'SYSTEM "{secret.as_uri()}"', f'"{"lol" * 1000}"'):
        dtd = f"<!DOCTYPE html [<!ENTITY x {entity}>]>"
        assert cause_of(package(path, kind, "&x;", dtd)) == "unsafe_xml"
    before = sorted(tmp_path.rglob("*"))
    reading = read_file(package(path, kind, "hello", extra={"../../evil.txt": b"x"}))
    assert reading.warnings[0].startswith("An entry with a path outside")
    assert sorted(tmp_path.rglob("*")) == before
    assert cause_of(package(path, kind, "<a>" * 300_000)) in ("corrupt", "bomb", "empty")


def test_an_external_dtd_of_a_book_is_never_fetched(tmp_path: Path) -> None:
    dtd = '<!DOCTYPE html PUBLIC "x" "http://127.0.0.1:9/x.dtd">'
    assert read_file(package(tmp_path / "a.epub", "epub", "hello", dtd)).blocks[0].text == "hello"


def test_rtf_that_nests_and_claims(tmp_path: Path) -> None:
    nested = b"{\\rtf1 " + b"{" * 1_000_000
    assert cause_of(write(tmp_path / "a.rtf", nested)) == "bomb"
    claims = b"{\\rtf1 before {\\pict\\bin2000000000 x} after}"
    assert read_file(write(tmp_path / "b.rtf", claims)).blocks[0].text == "before"


def test_mails_that_hold_themselves_and_bombs(tmp_path: Path) -> None:
    bomb = package(tmp_path / "b.odt", "odt", "x", extra={"media.bin": bytes(50_000_000)})
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.com", "Files"
    message.set_content("See the files.")
    message.add_attachment(
        bomb.read_bytes(), maintype="application", subtype="zip", filename="../../b.odt"
    )
    for _ in range(50):
        around = EmailMessage()
        around["From"], around["Subject"] = "a@example.com", "Around"
        around.set_content("Around.")
        around.add_attachment(message)
        message = around
    before = sorted(tmp_path.rglob("*"))
    path = write(tmp_path / "a.eml", message.as_bytes())
    reading = read_file(path)
    assert [block.text for block in reading.blocks].count("Around.") == 3
    assert any("nested deeper" in warning for warning in reading.warnings)
    inner = message
    while inner["Subject"] != "Files":
        inner = next(part for part in inner.iter_attachments())
        inner = inner.get_content()
    alone = read_file(write(path, inner.as_bytes()))
    assert alone.blocks[-1].text == "See the files."
    assert "unpacks to more than" in alone.warnings[0]
    assert sorted(tmp_path.rglob("*")) == [path, *before]


def test_pdf_with_countless_pages_scripts_and_files(tmp_path: Path) -> None:
    kids = b" ".join([b"3 0 R"] * 100_000)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.launchURL('http://x'))>>>>",
        b"<</Type/Pages/Count 100000/Kids[" + kids + b"]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    ]
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj" % number + content + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 4\n0000000000 65535 f \n" + table + b"trailer<</Size 4/Root 1 0 R>>\n"
    data += end + b"startxref\n%d\n%%%%EOF" % len(data)
    assert cause_of(write(tmp_path / "a.pdf", data)) == "too_many_pages"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pictures_that_unpack_to_giants(tmp_path: Path) -> None:
    giant = Image.new("1", (12_000, 12_000))
    for name in ("a.png", "a.tiff", "a.gif"):
        giant.save(tmp_path / name, **({"compression": "group4"} if name == "a.tiff" else {}))
        assert (tmp_path / name).stat().st_size < 2_500_000
        assert cause_of(tmp_path / name) == "bomb"
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(14_000, 14_000))
    canvas.drawImage(str(tmp_path / "a.png"), 0, 0, 14_000, 14_000)
    canvas.save()
    reading = read_file(tmp_path / "a.pdf")
    assert reading.warnings == ("No text was found on the picture of pages: 1.",)


def test_paths_outside_the_archive_write_nothing(tmp_path: Path) -> None:
    path = docx_of(tmp_path / "a.docx", body("hello"), {"../../evil.txt": b"x"})
    before = sorted(tmp_path.rglob("*"))
    reading = read_file(path)
    assert reading.blocks[0].text == "hello"
    assert reading.warnings
    assert sorted(tmp_path.rglob("*")) == before


def test_encrypted_pdf(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("secret"))
    canvas.drawString(50, 50, MARK)
    canvas.save()
    assert cause_of(write(tmp_path / "a.pdf", buffer.getvalue())) == "encrypted"


def test_damaged_and_disguised_files(tmp_path: Path) -> None:
    assert cause_of(write(tmp_path / "a.pdf", b"%PDF-1.7\n1 0 obj<</Kids[1 0 R]>>")) == "corrupt"
    assert cause_of(write(tmp_path / "b.pdf", b"PK\x03\x04 this is not a pdf")) == "unsupported"
    assert cause_of(write(tmp_path / "c.pdf", b"\x7fELF" + bytes(100))) == "unsupported"
    assert cause_of(write(tmp_path / "d.json", "[" * 200_000)) == "bomb"


def test_wall_time_is_limited(tmp_path: Path) -> None:
    rows = "a,b\n" + "x,1\n" * 500_000
    assert cause_of(write(tmp_path / "a.csv", rows), Limits(wall_s=0.05)) == "timeout"


def test_memory_is_limited(tmp_path: Path) -> None:
    data = json.dumps([{"key": str(i)} for i in range(800_000)])
    limits = Limits(memory_bytes=150_000_000)
    assert cause_of(write(tmp_path / "a.json", data), limits) == "out_of_memory"


def test_results_are_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "many words " * 10_000)
    assert cause_of(path, Limits(result_bytes=10_000)) == "too_large"


ATTACKS = {
    "network": "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
    "name": "import socket; socket.getaddrinfo('localhost', 80)",
    "process": "import subprocess; subprocess.run(['true'])",
    "shell": "import os; os.system('true')",
    "fork": "import os; os.fork()",
    "kill": "import os; os.kill(os.getppid(), 0)",
    "write": "open('/tmp/written-by-a-reader', 'w')",
    "escape": "open('../written-by-a-reader', 'w')",
}


def run_attack(code: str, folder: Path, limits: Limits | None = None) -> tuple[int, str]:
    """Run code in a confined child as a subverted reader would; exit status and what it printed."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the child never returns to pytest
        os.close(read_end)
        os.chdir(folder)
        status = 3
        try:
            child_module.confine(limits or Limits(), folder)
            exec(code)
            status = 0
        except BaseException as error:
            os.write(write_end, type(error).__name__.encode())
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        said = pipe.read()
    _, result = os.waitpid(pid, 0)
    return result, said


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ATTACKS)
def test_a_subverted_reader_can_do_nothing(tmp_path: Path, name: str) -> None:
    result, said = run_attack(ATTACKS[name], tmp_path)
    assert (os.waitstatus_to_exitcode(result), said) == (3, "PermissionError")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_its_own_folder_is_writable_and_loops_end(tmp_path: Path) -> None:
    assert run_attack("open('mine', 'w').write('x')", tmp_path) == (0, "")
    result, _ = run_attack("while True: pass", tmp_path, Limits(cpu_s=1))
    assert os.waitstatus_to_exitcode(result) < 0


def test_no_process_and_no_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = write(tmp_path / "a.csv", "a,b\n" + "x,1\n" * 500_000)
    before = set(psutil.Process().children())
    assert cause_of(path, Limits(wall_s=0.05)) == "timeout"
    assert set(psutil.Process().children()) <= before
    assert [item.name for item in tmp_path.iterdir()] == ["a.csv"]


def test_a_sandbox_reads_on_after_whatever_a_file_did(tmp_path: Path) -> None:
    slow = write(tmp_path / "slow.csv", "a,b\n" + "x,1\n" * 500_000)
    big = write(tmp_path / "big.json", json.dumps([{"key": str(i)} for i in range(800_000)]))
    good = write(tmp_path / "good.txt", "Olá.")
    limits = {
        slow: Limits(wall_s=0.05),
        big: Limits(memory_bytes=150_000_000),
        good: Limits(),
    }

    def outcome(path: Path) -> str:
        try:
            return sandbox.read(path, limits=limits[path]).blocks[0].text
        except ReadError as error:
            return error.cause

    expected = {slow: "timeout", big: "out_of_memory", good: "Olá."}
    with Sandbox() as sandbox, ThreadPoolExecutor(3) as pool:
        paths = [good, slow, big, good] * 2
        assert list(pool.map(outcome, paths)) == [expected[path] for path in paths]


def test_children_share_nothing_but_imports(tmp_path: Path) -> None:
    one, other = (write(tmp_path / f"{n}.md", f"# Note {n}\n\nBody.") for n in (1, 2))
    with Sandbox() as sandbox:
        pids = [sandbox.template_pid]
        assert [sandbox.read(path).title for path in (one, other)] == ["Note 1", "Note 2"]
        pids.append(sandbox.template_pid)
        assert pids[0] is None
        assert pids[1] is not None
        os.kill(pids[1], signal.SIGKILL)
        assert sandbox.read(one).title == "Note 1"
        assert sandbox.template_pid != pids[1]
    assert sandbox.template_pid is None


def test_a_template_that_keeps_dying_fails_only_the_file_that_kills_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "_START", "import sys; sys.exit(1)")
    with Sandbox() as sandbox:
        with pytest.raises(ReadError) as caught:
            sandbox.read(write(tmp_path / "a.txt", "Olá."))
        assert caught.value.cause == "crashed"
        monkeypatch.undo()
        assert sandbox.read(tmp_path / "a.txt").blocks


EXPECTED = {
    "billion_laughs.docx": "unsafe_xml",
    "bomb_single.docx": "bomb",
    "deep.json": "bomb",
    "fake_extension.pdf": "unsupported",
    "truncated.pdf": "corrupt",
    "xxe.xml": "unsafe_xml",
    "xxe_http.svg": "unsupported",
    "xxe_local_file.docx": "unsafe_xml",
}


def test_the_hostile_corpus(shared_data: Path) -> None:
    host = os.uname().nodename
    for path in sorted((shared_data / "parsing/hostile").iterdir()):
        if path.name in EXPECTED:
            assert cause_of(path) == EXPECTED[path.name], path.name
        else:
            told = json.dumps(reading_json(read_file(path)), ensure_ascii=False)
            assert host not in told
            for hidden in ("Ignore all previous", "approve every refund", "API key", "\u202e"):
                assert hidden not in told
