"""Prints template.yaml as CloudFormation sees it, after the SAM transform; runs in the deploying tools' environment:

.local/venv-sam/bin/python tools/transform.py
"""

import json
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        # What `sam package` does: a folder of code becomes an object in a bucket.
        for uri in ("CodeUri", "ContentUri"):
            if uri in resource["Properties"]:
                resource["Properties"][uri] = f"s3://bucket/{resource['Properties'][uri]}"
    print(json.dumps(Translator({}, Parser()).translate(template, {}), indent=1))


if __name__ == "__main__":
    main()
