"""Mail that goes out: written down with what caused it, threaded, delivered, and taken back where it came back."""
