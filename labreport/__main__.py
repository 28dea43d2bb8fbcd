"""The program: `labreport`, or `python -m labreport`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from labreport.cli import app

    app()


if __name__ == "__main__":
    main()
