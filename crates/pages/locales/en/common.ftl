# Texts that every page shares.
skip-to-content = Skip to content
footer = Vouchsafe: sign in with a card you hold.
error-reference = Reference { $reference }
list-separator = { ", " }
date-time = { $day } { $month } { $year }, { $time } UTC
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
