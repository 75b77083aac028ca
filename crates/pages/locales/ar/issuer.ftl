# خدمة الإصدار: ما يقرؤه الشخص أثناء دخول بطاقة إلى المحفظة.
issuer-code-title = اكتب رمزك المخصص لمرة واحدة
issuer-code-lead = أُعدّت هذه البطاقة لك من { $issuer }: { $card }. يبيّن الرمز أنها لك.
issuer-code-label = رمز لمرة واحدة
issuer-code-hint = ثمانية أحرف وأرقام. حصلت على الرمز من { $issuer }، مثلًا في رسالة أو عند الشباك.
issuer-code-hint-long = ستة عشر حرفًا ورقمًا. حصلت على الرمز من { $issuer }، مثلًا في رسالة أو عند الشباك.
issuer-code-confirm = ضع البطاقة في محفظتي
issuer-code-cancel = ليس الآن
issuer-code-where = تذهب البطاقة إلى { $wallet } على هذا الجهاز.
issuer-code-wrong = { FORM($tries) ->
    [zero] هذا ليس الرمز الصحيح. لم تبقَ لك محاولات.
    [one] هذا ليس الرمز الصحيح. بقيت لك محاولة واحدة.
    [two] هذا ليس الرمز الصحيح. بقيت لك محاولتان.
    [few] هذا ليس الرمز الصحيح. بقيت لك { $tries } محاولات.
   *[other] هذا ليس الرمز الصحيح. بقيت لك { $tries } محاولة.
}
issuer-consent-title = هل تريد وضع هذه البطاقة في محفظتك؟
issuer-consent-lead = تُصدر لك هذه البطاقة من { $issuer }: { $card }. وتذهب إلى { $wallet }.
issuer-person-title = عرّف { $issuer } بنفسك
issuer-person-lead = بعدها تُصدر لك هذه البطاقة من { $issuer }: { $card }. وتذهب إلى { $wallet }.
issuer-person-wrong = { FORM($tries) ->
    [zero] هذه البيانات غير معروفة لدى { $issuer }. لم تبقَ لك محاولات.
    [one] هذه البيانات غير معروفة لدى { $issuer }. بقيت لك محاولة واحدة.
    [two] هذه البيانات غير معروفة لدى { $issuer }. بقيت لك محاولتان.
    [few] هذه البيانات غير معروفة لدى { $issuer }. بقيت لك { $tries } محاولات.
   *[other] هذه البيانات غير معروفة لدى { $issuer }. بقيت لك { $tries } محاولة.
}
issuer-present-title = أظهِر بطاقة أولًا
issuer-present-lead = قبل إصدار { $card } تُطلب منك بطاقة لديك من قبل. الجهة الطالبة: { $issuer }.
issuer-present-open = افتح محفظتي
issuer-present-back = تعيدك محفظتك إلى هذا المتصفّح.
issuer-failed-request-title = هذا الرابط لا يعمل
issuer-failed-request-text = فتحت محفظتك صفحة لا نستطيع قراءتها، لذلك لم يُصدر شيء.
issuer-failed-offer-title = لم تعد هذه البطاقة في الانتظار
issuer-failed-offer-text = تم استلام البطاقة من قبل، أو انتهت مهلة استلامها.
issuer-failed-locked-title = رموز خاطئة كثيرة
issuer-failed-locked-text = حمايةً لك، لم يعد ممكنًا استلام هذه البطاقة بذلك الرمز.
issuer-failed-pause-title = محاولات كثيرة
issuer-failed-pause-text = كان ما كتبته خاطئًا مرات كثيرة، لذلك لا يُقبل شيء لمدة ساعة. بعدها ابدأ من جديد في محفظتك.
issuer-failed-browser-title = ابدأ من جديد من محفظتك
issuer-failed-browser-text = فُتحت هذه الصفحة منذ وقت طويل، أو في متصفّح آخر.
issuer-failed-server-title = حدث خطأ من جانبنا
issuer-failed-server-text = لم يُصدر شيء، ولم يُفقد شيء.
issuer-failed-next = ارجع إلى محفظتك وحاوِل مجددًا، أو اطلب من { $issuer } رابطًا جديدًا للبطاقة.
docs-title = الواجهة البرمجية للمؤسسات
docs-lead = كل ما يمكن لنظامك أن يطلبه من هذه الخدمة، مع مثال لكل منه.
docs-openapi = المحتوى نفسه بصيغة OpenAPI 3.1، للأدوات
docs-contents = المحتويات
docs-access = من يحق له الاستدعاء
docs-scopes = النطاقات وما تسمح به
docs-name = الاسم
docs-type = النوع
docs-meaning = المعنى
docs-required = مطلوب
docs-parameters = المعاملات
docs-body = النص
docs-answers = الردود
docs-example = مثال
docs-schemas = الكائنات
