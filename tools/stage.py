"""Lays the functions that Cargo has built where `sam build` would: stage.py <directory of the binaries>

The SAM CLI builds with cargo-lambda, for the processors and the C library of AWS Lambda: a second build of all
dependencies, which the local cloud has no use for. It deploys either the same way.
"""

import subprocess
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".aws-sam" / "build"


def stage(binary: Path, directory: Path) -> None:
    """Lays one function, without what only a debugger reads."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", "-o", directory / "bootstrap", binary], check=True)


def main(binaries: Path) -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            stage(binaries / resource["Metadata"]["BuildProperties"]["Binary"], BUILT / name)
            resource["Properties"]["CodeUri"] = name
    (BUILT / "template.yaml").write_text(yaml_dump(template))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
