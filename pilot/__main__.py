"""`python -m pilot` is `log-pilot`."""

from pilot.cli import main

if __name__ == "__main__":
    main()
