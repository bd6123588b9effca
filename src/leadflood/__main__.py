"""`python -m leadflood`."""

from leadflood.cli import main

if __name__ == "__main__":
    main()
