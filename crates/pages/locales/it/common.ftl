# Testi comuni a tutte le pagine.
skip-to-content = Vai al contenuto
footer = Vouchsafe: accedi con una carta che è tua.
error-reference = Riferimento { $reference }
list-separator = { ", " }
date-time = { $day } { $month } { $year }, ore { $time } UTC
month-1 = gennaio
month-2 = febbraio
month-3 = marzo
month-4 = aprile
month-5 = maggio
month-6 = giugno
month-7 = luglio
month-8 = agosto
month-9 = settembre
month-10 = ottobre
month-11 = novembre
month-12 = dicembre
