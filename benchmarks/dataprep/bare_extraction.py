"""fastwarc and resiliparse alone: each page's main content, thrown away. What no pipeline over them can be faster than.

python -m benchmarks.dataprep.bare_extraction FILE...
"""

import sys
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding

from benchmarks.contest.meter import Meter, report
from dataprep.reading.http_body import decode_body

MAX_BYTES = 16 << 20


def main(files: list[str]) -> None:
    extract_plain_text("<p>warm</p>", main_content=True)
    pages = 0
    with Meter() as meter:
        for file in files:
            with Path(file).open("rb") as stream:
                for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
                    answer = record.http_headers
                    if answer is None or answer.status_code != 200:
                        continue
                    if record.http_content_type not in ("text/html", "application/xhtml+xml"):
                        continue
                    encodings = answer.get("Transfer-Encoding", ""), answer.get("Content-Encoding", "")
                    body = decode_body(record.reader.read(), *encodings, MAX_BYTES)
                    try:
                        html = body.decode()
                    except UnicodeDecodeError:
                        html = bytes_to_str(body, detect_encoding(body))
                    extract_plain_text(html, main_content=True, alt_texts=False, preserve_formatting=True)
                    pages += 1
    report(meter, pages=pages, num_bytes=sum(Path(file).stat().st_size for file in files))


if __name__ == "__main__":
    main(sys.argv[1:])
