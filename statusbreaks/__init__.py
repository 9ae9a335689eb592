"""A shop notices its interrupted orders, shields and tells its customers, and makes good."""
