"""The program: `labreport`, or `python -m labreport`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    try:
        from labreport.cli import app
    except KeyboardInterrupt:
        # So early nothing has begun, and nobody is there to say so.
        raise SystemExit(130) from None
    app()


if __name__ == "__main__":
    main()
