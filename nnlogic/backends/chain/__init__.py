"""A backend; `backend` beside this file says what it promises."""
