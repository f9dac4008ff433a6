"""Lays the functions that Cargo has built where `sam build` would: stage.py <directory of the binaries>

The SAM CLI builds with cargo-lambda, for the processors and the C library of AWS Lambda: a second build of all
dependencies, which the local cloud has no use for. It deploys either the same way.
"""

import subprocess
import sys
from pathlib import Path

from samcli.commands._utils.template import get_template_data, move_template

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".aws-sam" / "build"


def stage(binary: Path, directory: Path) -> None:
    """Lays one function, without what only a debugger reads."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", "-o", directory / "bootstrap", binary], check=True)


def main(binaries: Path) -> None:
    source = ROOT / "template.yaml"
    template = get_template_data(str(source))
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            stage(binaries / resource["Metadata"]["BuildProperties"]["Binary"], BUILT / name)
            resource["Properties"]["CodeUri"] = str((BUILT / name).relative_to(ROOT))
    # Paths of other files are given from where it lies.
    move_template(str(source), str(BUILT / "template.yaml"), template)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
