"""`python -m bilbaokg`."""

from bilbaokg.cli import main

if __name__ == "__main__":
    main()
