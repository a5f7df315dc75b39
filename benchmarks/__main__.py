"""`python -m benchmarks [NAME …]`: run the benchmarks, one process each, and print their figures."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """All of them, or those named (`bench_run`, or just `run`)."""
    there = sorted(path.stem for path in HERE.glob("bench_*.py"))
    wanted = [f"bench_{name.removeprefix('bench_')}" for name in sys.argv[1:]] or there
    for name in wanted:
        print(f"## {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False, cwd=HERE.parent)


if __name__ == "__main__":
    main()
