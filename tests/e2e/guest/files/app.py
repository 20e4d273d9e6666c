"""The shop: reads orders from PostgreSQL, counts visits in Redis."""
import os

import psycopg2
import redis
from flask import Flask, jsonify

app = Flask(__name__)
cache = redis.Redis.from_url(os.environ["REDIS_URL"])


@app.get("/orders")
def orders():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as db, db.cursor() as cursor:
        cursor.execute("SELECT id, item FROM orders ORDER BY id")
        return jsonify(cursor.fetchall())


@app.get("/count")
def count():
    return jsonify(visits=cache.incr("visits"))


@app.get("/zone")
def zone():
    return os.environ.get("GREETING", "none")
