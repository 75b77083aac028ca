# نصوص مشتركة بين كل الصفحات.
skip-to-content = انتقل إلى المحتوى
footer = Vouchsafe: سجّل دخولك ببطاقة تملكها.
error-reference = الرقم المرجعي { $reference }
list-separator = { "، " }
date-time = { $day } { $month } { $year }، الساعة { $time } بتوقيت UTC
month-1 = يناير
month-2 = فبراير
month-3 = مارس
month-4 = أبريل
month-5 = مايو
month-6 = يونيو
month-7 = يوليو
month-8 = أغسطس
month-9 = سبتمبر
month-10 = أكتوبر
month-11 = نوفمبر
month-12 = ديسمبر
