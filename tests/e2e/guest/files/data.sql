CREATE ROLE shop LOGIN PASSWORD 'tr0mbone-pg';
CREATE DATABASE shop OWNER shop;
\connect shop
SET ROLE shop;
CREATE TABLE orders (id integer PRIMARY KEY, item text NOT NULL);
INSERT INTO orders VALUES (1, 'trombone'), (2, 'kakadu'), (3, 'käse');
