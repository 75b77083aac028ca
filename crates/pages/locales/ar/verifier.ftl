# خدمة تسجيل الدخول: ما يقرؤه الشخص حين يطلب تطبيق بطاقة.
verifier-who-asks = الجهة الطالبة
verifier-why = السبب
verifier-payment = أنت توافق على دفعة
verifier-payment-amount = المبلغ
verifier-payment-payee = إلى
verifier-payment-reference = مقابل
verifier-payment-compare = تعرض محفظتك الشيء نفسه. إذا اختلف شيء هناك فارفض.
verifier-unvouched = لم يتحقق أحد هنا من { $app }. الاسم هو الذي يطلقه التطبيق على نفسه. تابع فقط إذا كنت تعرفه وجئت منه.
verifier-unusual = ما زلت مسجّل الدخول، لكن هذه الزيارة تبدو غير معتادة لحسابك، ولذلك نطلب بطاقتك مرة أخرى.
verifier-unusual-first_seen_country = تأتي من بلد جديد بالنسبة إلى حسابك.
verifier-unusual-impossible_travel = لا أحد يسافر إلى هنا بهذه السرعة من آخر مكان كنت فيه.
verifier-unusual-device_unknown = تأتي من متصفّح جديد بالنسبة إلى حسابك.
verifier-unusual-tor_exit = تأتي عبر شبكة Tor.
verifier-unusual-failed_burst = رُفضت للتوّ عدّة محاولات دخول من اتّصالك أو إلى حسابك.
verifier-account-stale-title = أظهِر بطاقتك أولًا
verifier-account-stale-text = لا يتغيّر ما يؤدي إلى حسابك إلا بعد وقت قصير من إظهار بطاقة (أو من تسجيل الدخول من مكان آخر إن لم تكن لديك بطاقة هنا)، ومن مكان معتاد فقط. سجّل الدخول إلى تطبيق مرة أخرى ثم عُد إلى هنا.
verifier-app-site = موقعه
verifier-app-policy = كيف يتعامل مع البيانات
verifier-app-terms = شروطه
verifier-app-logo = شعاره
verifier-choose-title = { $app } يطلب بطاقتك
verifier-will-learn = سيعرف التطبيق
verifier-learn-nothing = أنك الشخص نفسه فقط، ولا شيء عنك
verifier-will-not-learn = لن يعرف
verifier-rest-stays = كل ما عدا ذلك في بطاقتك يبقى لديك
verifier-stays = { FORM($days) ->
    [zero] يريد { $app } أيضًا أن يتأكد في غيابك من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
    [one] يريد { $app } أيضًا أن يتأكد في غيابك لمدة يوم واحد من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
    [two] يريد { $app } أيضًا أن يتأكد في غيابك لمدة أقصاها يومان من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
    [few] يريد { $app } أيضًا أن يتأكد في غيابك لمدة أقصاها { $days } أيام من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
    [many] يريد { $app } أيضًا أن يتأكد في غيابك لمدة أقصاها { $days } يومًا من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
   *[other] يريد { $app } أيضًا أن يتأكد في غيابك لمدة أقصاها { $days } يوم من أنك ما زلت الشخص نفسه. يمكنك إنهاء ذلك في صفحة حسابك، وهو ينتهي تلقائيًا إذا سُحبت بطاقتك أو انتهت مدتها.
}
verifier-show-card = أظهِر بطاقتي
verifier-use-card = استخدِم بطاقة على هذا الجهاز
verifier-use-card-declined = لم تُعرض أي بطاقة ولم يُرسل أي شيء. حاوِل مجددًا، أو اختر طريقة أخرى أدناه.
verifier-use-card-refused = لم ينجح ذلك، ولم يتم تسجيل دخول أحد بعد. حاوِل مجددًا، أو اختر طريقة أخرى أدناه.
verifier-other-device = بطاقتي على جهاز آخر
verifier-not-now = ليس الآن
verifier-choose-hint = تُفتح محفظتك على هذا الجهاز وتسألك قبل إظهار أي شيء.
verifier-wallet-opened = فتحت محفظتك الطلب. تابِع هناك.
verifier-qr-title = أظهِر بطاقتك من جهاز آخر إلى { $app }
verifier-qr-how = افتح محفظتك على الجهاز الآخر وامسح هذا الرمز.
verifier-qr-label = رمز لمسحه بمحفظتك
verifier-qr-life = { FORM($seconds) ->
    [zero] انتهت صلاحية هذا الرمز. يظهر رمز جديد تلقائيًا.
    [one] هذا الرمز صالح لمدة ثانية واحدة. بعدها يظهر رمز جديد تلقائيًا.
    [two] هذا الرمز صالح لمدة ثانيتين. بعدهما يظهر رمز جديد تلقائيًا.
    [few] هذا الرمز صالح لمدة { $seconds } ثوانٍ. بعدها يظهر رمز جديد تلقائيًا.
   *[other] هذا الرمز صالح لمدة { $seconds } ثانية. بعدها يظهر رمز جديد تلقائيًا.
}
verifier-qr-link-summary = لا أستطيع المسح: أظهِر الرابط
verifier-qr-warning = لا تمسح هذا الرمز إلا إذا كنت أنت من فتح { $app } على هذه الشاشة.
verifier-scanned-title = تم المسح
verifier-scanned-text = تابِع على هاتفك. تنتقل هذه الصفحة إلى الخطوة التالية بعد أن تجيب هناك.
verifier-check-again = تحقّق مجددًا
verifier-back-to-choice = رجوع
verifier-number-title = ما الرقم الذي يظهر على هاتفك؟
verifier-number-text = بعد موافقتك فتح هاتفك صفحة فيها رقم من خانتين. اكتبه هنا.
verifier-number-label = الرقم الظاهر على هاتفك
verifier-number-wrong = { FORM($tries) ->
    [zero] هذا ليس الرقم الصحيح. لم تبقَ لك محاولات.
    [one] هذا ليس الرقم الصحيح. بقيت لك محاولة واحدة.
    [two] هذا ليس الرقم الصحيح. بقيت لك محاولتان.
    [few] هذا ليس الرقم الصحيح. بقيت لك { $tries } محاولات.
   *[other] هذا ليس الرقم الصحيح. بقيت لك { $tries } محاولة.
}
verifier-number-submit = سجّل الدخول
verifier-number-warning = لا تكتب الرقم إلا إذا كانت هذه الشاشة لك وكنت قد جئت إليها من { $app }.
verifier-shown-title = اكتب هذا الرقم على الشاشة الأخرى
verifier-shown-text = يربط الرقم بين الشاشتين. لا يكتمل تسجيل الدخول حتى تكتبه.
verifier-shown-app = تسجّل الدخول إلى
verifier-shown-place = بدأ من
verifier-shown-network = عنوان الشبكة
verifier-shown-time = بدأ في
verifier-shown-warning = لم تبدأ هذا بنفسك، أو يطلب منك أحد الرقم؟ أغلِق هذه الصفحة ولا تخبر أحدًا بالرقم. لا يحدث شيء من دونه.
verifier-browser-other = متصفّح
verifier-try-again = حاوِل مجددًا
verifier-back-to-app = العودة إلى { $app }
verifier-failed-declined-title = لم تُظهر بطاقتك
verifier-failed-declined-text = لم يُرسل أي شيء. لم يتم تسجيل دخولك.
verifier-failed-declined-next = ارجع إلى التطبيق، أو حاوِل مجددًا إن لم يكن هذا ما أردته.
verifier-failed-no-card-title = لا توجد بطاقة مناسبة
verifier-failed-no-card-text = ليس في محفظتك بطاقة تجيب عن هذا الطلب. لم يُرسل أي شيء.
verifier-failed-no-card-next = احصل على البطاقة من الجهة التي تصدرها، ثم حاوِل مجددًا.
verifier-failed-revoked-title = لم تعد هذه البطاقة صالحة
verifier-failed-revoked-text = الجهة التي أعطتك هذه البطاقة سحبتها.
verifier-failed-revoked-next = اطلب من تلك الجهة بطاقة جديدة، ثم حاوِل مجددًا.
verifier-failed-suspended-title = هذه البطاقة موقوفة مؤقتًا
verifier-failed-suspended-text = الجهة التي أعطتك هذه البطاقة أوقفتها مؤقتًا.
verifier-failed-suspended-next = اسأل تلك الجهة متى يمكنك استخدامها من جديد.
verifier-failed-expired-title = انتهت مدة هذه البطاقة
verifier-failed-expired-text = مضى آخر يوم لها، فهي لا تثبت شيئًا اليوم.
verifier-failed-expired-next = جدّد البطاقة في محفظتك، ثم حاوِل مجددًا.
verifier-failed-issuer-title = هذه البطاقة من جهة لا نعتمد عليها
verifier-failed-issuer-text = قد تكون البطاقة أصلية، لكن التطبيق لا يقبل إلا بطاقات جهات معيّنة.
verifier-failed-issuer-next = حاوِل مجددًا ببطاقة من إحدى هذه الجهات.
verifier-failed-type-title = هذا نوع آخر من البطاقات
verifier-failed-type-text = طلب التطبيق نوعًا من البطاقات وتلقّى نوعًا آخر.
verifier-failed-type-next = حاوِل مجددًا واختر البطاقة التي يطلبها التطبيق.
verifier-failed-not-proven-title = تعذّر التحقق من الإثبات
verifier-failed-not-proven-text = ما وصل من المحفظة لا يثبت ما طلبه التطبيق. لم يتم تسجيل دخولك.
verifier-failed-not-proven-next = حاوِل مجددًا. إذا تكرر ذلك فأعطِ الرقم المرجعي أدناه لدعم التطبيق.
verifier-failed-status-title = لا يمكننا التأكد من أن البطاقة ما زالت صالحة
verifier-failed-status-text = لا يمكن الآن الوصول إلى الجهة التي أعطتك هذه البطاقة، لذلك لا نقبلها.
verifier-failed-status-next = حاوِل مجددًا بعد بضع دقائق.
verifier-failed-provider-title = لم يُدخل المزوّد الآخر أحدًا
verifier-failed-provider-text = لم يؤدِّ تسجيل الدخول من مكان آخر إلى حساب هنا. ربما لا يستجيب المزوّد، أو أن الحساب هناك يؤدي إلى حساب آخر هنا.
verifier-failed-provider-next = حاوِل مجددًا، أو سجّل الدخول بطريقة أخرى.
verifier-failed-code-title = رموز خاطئة كثيرة
verifier-failed-code-text = كانت الرموز خاطئة عدة مرات، لذلك لا يُقبل أي رمز لهذا الحساب لبعض الوقت. لم يُسجَّل دخول أحد.
verifier-failed-code-next = انتظر دقيقة (حتى ساعة بعد محاولات كثيرة)، أو سجّل الدخول بطريقة أخرى.
verifier-failed-browser-title = بدأ تسجيل الدخول هذا في متصفّح آخر
verifier-failed-browser-text = أُظهرت بطاقتك، لكن ليس لتسجيل دخول بدأ في هذا المتصفّح. لذلك أوقفناه، ولم يُسجَّل دخول أحد.
verifier-failed-browser-next = ابدأ من جديد من التطبيق، في المتصفّح الذي تريد استخدامه. إن لم تكن قد بدأت أي تسجيل دخول، فلا شيء آخر عليك فعله.
verifier-failed-number-title = الرقمان غير متطابقين
verifier-failed-number-text = كان الرقم خاطئًا ثلاث مرات، لذلك أوقفنا تسجيل الدخول هذا.
verifier-failed-number-next = ابدأ من جديد. إذا طلب منك شخص آخر الرقم، فلا تخبره به.
verifier-failed-account-title = هذه البطاقة تخص حسابًا آخر
verifier-failed-account-text = أنت مسجّل الدخول هنا بحساب مختلف. نحن لا نبدّل الحسابات من دون علمك أبدًا.
verifier-failed-account-next = سجّل الخروج أولًا إذا أردت تغيير الحساب.
verifier-failed-withdrawn-title = لقد سحبت موافقتك
verifier-failed-withdrawn-text = لم يُرسل أي شيء. لم يتم تسجيل دخولك.
verifier-failed-withdrawn-next = ابدأ من جديد من التطبيق إذا أردت تسجيل الدخول.
verifier-failed-expired-login-title = استغرق هذا وقتًا طويلًا
verifier-failed-expired-login-text = من أجل سلامتك يجب أن يكتمل تسجيل الدخول خلال خمس دقائق.
verifier-failed-expired-login-next = ابدأ من جديد من التطبيق.
verifier-failed-unknown-title = لا يوجد تسجيل دخول هنا
verifier-failed-unknown-text = هذه الصفحة لا تتبع أي تسجيل دخول في هذا المتصفّح، أو أن تسجيل الدخول انتهى.
verifier-failed-unknown-next = ابدأ من جديد من التطبيق.
verifier-failed-form-title = لا يمكن قبول هذا النموذج
verifier-failed-form-text = لم يأتِ من صفحة مفتوحة في هذا المتصفّح، أو أن الصفحة قديمة جدًا، أو أنه لم يصل كاملًا.
verifier-failed-form-next = ارجع وأعِد تحميل الصفحة ثم حاوِل مرة أخرى.
verifier-failed-request-title = أرسل التطبيق طلبًا لا يمكننا الإجابة عنه
verifier-failed-request-text = في طلب التطبيق خطأ، لذلك لم نُعِدك إليه.
verifier-failed-request-next = أعطِ الرقم المرجعي أدناه لدعم التطبيق.
verifier-failed-server-title = حدث خطأ من جانبنا
verifier-failed-server-text = لم يتم تسجيل دخولك، ولم يُرسل أي شيء.
verifier-failed-server-next = حاوِل مجددًا بعد لحظات.
verifier-failed-denied-title = لا يمكنك المتابعة هنا
verifier-failed-denied-text = تُنهي قواعد هذه الخدمة تسجيل الدخول هنا.
verifier-failed-denied-next = عُد إلى التطبيق. إن كنت ترى أن هذا خطأ، فأعطِ الخدمة المرجع أدناه.
verifier-failed-restart-login-title = يجب أن يبدأ تسجيل الدخول هذا من جديد
verifier-failed-restart-login-text = وصلت إجابتك، لكن طريق العودة إلى التطبيق انقطع.
verifier-failed-restart-login-next = ابدأ من جديد هنا أو في التطبيق. لم يضع شيء، ولا يُحتسب شيء مرتين.
verifier-failed-too-many-title = بدأت هنا محاولات تسجيل دخول كثيرة جدًا
verifier-failed-too-many-text = في الدقائق الأخيرة أُرسل هذا المتصفح إلى هنا مرارًا من أجل تطبيق واحد، ولم يكتمل أي تسجيل دخول. لن نسألك عن شيء آخر الآن.
verifier-failed-too-many-next = إن كنت أنت من فعل ذلك فانتظر خمس دقائق وابدأ من جديد من التطبيق. وإلا فأغلق الصفحة التي أرسلتك إلى هنا.
verifier-failed-too-many-today-title = جرت محاولة ذلك اليوم مرات كثيرة جدًا
verifier-failed-too-many-today-text = بدأ ذلك اليوم للحساب المذكور بقدر ما هو مسموح به. لحماية حسابات الجميع لا نذكر هل يوجد هذا الحساب.
verifier-failed-too-many-today-next = حاول من جديد غدًا. إن لم تكن أنت من بدأ ذلك فأخبر المؤسسة.
verifier-stuck = ألم تُفتح أي صفحة؟
verifier-finished-title = تم تسجيل دخولك
verifier-finished-text = يمكنك العودة إلى التطبيق. لم تعد هذه الصفحة لازمة.
verifier-device-title = تسجيل الدخول على جهاز آخر
verifier-device-text = اكتب الرمز الذي يعرضه الجهاز الذي أمامك.
verifier-device-label = الرمز على الجهاز
verifier-device-submit = متابعة
verifier-device-unknown = لا ينتظر أي جهاز بهذا الرمز. انظر إلى الجهاز مرة أخرى: الرمز صالح لخمس دقائق ولمرة واحدة.
verifier-device-too-many = جاءت من شبكتك رموز خاطئة كثيرة. انتظر ربع ساعة، ثم حاوِل مجددًا.
verifier-device-warning = هل أرسل إليك أحد رابطًا أو رمزًا؟ أغلِق إذن هذه الصفحة: من يعرض الرمز يُسجَّل دخوله ببطاقتك.
verifier-device-confirm-title = هل تريد تسجيل الدخول إلى { $app } على جهاز آخر؟
verifier-device-confirm-text = لا تتابع إلا إذا كان جهاز أمامك يعرض الآن هذا الرمز بعينه.
verifier-device-confirm-warning = هل جاءك الرمز في رسالة أو مكالمة أو صورة؟ قل لا إذن. هناك من يريد تسجيل الدخول باسمك.
verifier-device-allow = نعم، هذا هو الجهاز الذي أمامي
verifier-device-deny = لا
verifier-device-tell-no = أخبر الجهاز بالرفض
verifier-device-login = أنت تسجّل الدخول على جهاز آخر.
verifier-device-done-title = تم تسجيل دخولك على الجهاز
verifier-device-done-text = يتابع الجهاز تلقائيًا خلال ثوانٍ قليلة. يمكنك إغلاق هذه الصفحة.
verifier-device-stopped-title = أُبلغ الجهاز بالرفض
verifier-device-stopped-text = لم يُسجَّل دخول أحد عليه. يمكنك إغلاق هذه الصفحة.
verifier-form-post-title = لحظة من فضلك
verifier-form-post-text = أنت عائد إلى { $app }.
verifier-form-post-submit = متابعة
verifier-logout-title = هل تريد تسجيل الخروج؟
verifier-logout-text = ينهي هذا تسجيل دخولك هنا وفي التطبيقات التي استخدمته معها.
verifier-logout-submit = سجّل الخروج
verifier-logged-out-title = تم تسجيل خروجك
verifier-logged-out-text = انتهى تسجيل دخولك هنا وفي التطبيقات التي استخدمته معها.
verifier-account-title = تسجيلات دخولك وموافقاتك
verifier-account-text = ما وافقت عليه، ومن طلبه، وأين أنت مسجّل الدخول. لا نحتفظ بقيم من بطاقاتك إلا إذا وافقت.
verifier-account-notices = ما ينبغي أن تعرفه
verifier-notice-refused = رُفض تسجيل دخول إلى حسابك لدى { $app }.
verifier-notice-step = { $app }: جرى في حسابك شيء ينبغي أن تعرفه.
verifier-notice-ended = { $app }: أُنهيت تسجيلات دخول أقدم إلى حسابك.
verifier-notice-reference = المرجع:
verifier-notice-not-you = إن لم تكن أنت، فأنهِ أدناه تسجيلات الدخول التي لا تعرفها، وأعطِ المؤسسة المرجع.
verifier-account-holds = في انتظار رفضك
verifier-hold-text = عرض أحدهم بطاقة لك لدى { $app } وينتظر الدخول إلى حسابك. إن لم تكن أنت فأوقف ذلك.
verifier-hold-until = يُسمح بالدخول بعد
verifier-hold-cancel = أوقف ذلك
verifier-notice-waiting = { $app }: ينتظر أحدهم الدخول إلى حسابك. كان بإمكانك إيقافه هنا.
verifier-notice-authenticator_added = أُضيف تطبيق مصادقة إلى حسابك.
verifier-notice-authenticator_removed = أُزيل تطبيق المصادقة من حسابك.
verifier-wait-title = عُد لاحقًا
verifier-wait-text = لحماية هذا الحساب يسمح لك { $app } بالمتابعة بعد مدة. يُخبَر صاحب الحساب ويمكنه إيقاف ذلك.
verifier-wait-until = عُد بعد
verifier-wait-last = يمكنك المتابعة حتى
verifier-wait-browser = استعمل هذا المتصفح واحتفظ بهذا الرابط:
verifier-failed-cancelled-title = أُوقف ذلك
verifier-failed-cancelled-text = أوقفه صاحب هذا الحساب أثناء انتظارك.
verifier-failed-cancelled-next = إن كان حسابك فاسأل المؤسسة.
verifier-account-consents = ما وافقت عليه
verifier-account-no-consents = لا شيء حتى الآن.
verifier-account-given = تمت الموافقة في
verifier-account-facts = المعلومات التي أُظهرت:
verifier-account-offline = وافقت أيضًا على أن يستمر التطبيق في غيابك.
verifier-account-receipt = إيصال
verifier-account-withdrawn = سُحبت في
verifier-account-withdraw = اسحب الموافقة
verifier-account-withdraw-label = اسحب موافقتك الممنوحة إلى { $app }
verifier-account-sessions = أين أنت مسجّل الدخول
verifier-account-this-browser = هذا المتصفّح
verifier-account-other-browser = متصفّح آخر
verifier-account-away = تطبيق يستمر في غيابك
verifier-account-since = منذ
verifier-account-apps = التطبيقات:
verifier-account-end = أنهِ تسجيل الدخول هذا
verifier-account-none-title = لست مسجّل الدخول هنا
verifier-account-none-text = سجّل الدخول أولًا إلى تطبيق ببطاقتك. بعدها تجد هنا تسجيلات دخولك وموافقاتك.
verifier-place-unknown = غير معروف
verifier-answered-title = وصلت إجابتك
verifier-answered-text = تابِع في الصفحة التي فتحتها محفظتك. لم تعد هذه الصفحة لازمة.

# من هو الشخص
verifier-identify-title = من أنت؟
verifier-identify-text = اكتب الرقم أو الاسم الذي يعرفك به { $app }. تُثبِت بطاقتك ذلك في الخطوة التالية.
verifier-identify-label = رقمك أو اسمك
verifier-identify-wrong = اكتب رقم حسابك أو اسمه.
verifier-identify-submit = متابعة
verifier-external-id = الرقم الذي تعرفك به المؤسسة
verifier-linking = أنت تضيف بطاقة إلى حسابك. لا يعرف أي تطبيق شيئًا من ذلك.
verifier-account-means = ما يوصل إلى حسابك
verifier-account-means-text = من يُظهِر واحدة من هذه الوسائل فهو أنت. أزِل ما لم يعد لديك.
verifier-means-credential = بطاقة
verifier-means-passkey = مفتاح مرور
verifier-means-upstream = حساب في مكان آخر
verifier-account-means-since = أُضيفت في
verifier-account-means-remove = إزالة
verifier-account-means-add = إضافة بطاقة أخرى: { $purpose }
verifier-link-title = إضافة بطاقة إلى حسابك
verifier-link-text = لدى المؤسسة التي أرسلت إليك هذا الرابط حساب لك. أظهِر بطاقة مرة واحدة، فتوصل بعدها إلى ذلك الحساب.
verifier-link-submit-label = أظهِر بطاقتي: { $purpose }
verifier-link-warning = تابِع فقط إذا أرسلت المؤسسة هذا الرابط إليك أنت. ستوصل بطاقتك إلى حساب الشخص الذي أُنشئ الرابط له.
verifier-link-over-title = لم يعد هذا الرابط صالحًا
verifier-link-over-text = استُعمل الرابط أو انتهى وقته. اطلب رابطًا جديدًا من المؤسسة.
verifier-link-stopped-title = لم يتغير شيء
verifier-link-stopped-text = لم تُضَف أي بطاقة. يمكنك إغلاق هذه الصفحة.
verifier-linked-title = أُضيفت بطاقتك
verifier-linked-text = من الآن توصل إلى حسابك. عُد إلى التطبيق وسجّل الدخول بها.
verifier-failed-unmatched-title = البطاقة والحساب لا يتطابقان
verifier-failed-unmatched-text = لم نتمكن من مطابقة هذه البطاقة مع هذا الحساب. لحماية حسابات الجميع لا نذكر السبب.
verifier-failed-unmatched-next = تحقق مما كتبته، أو استعمل بطاقة أخرى. إذا تكرر ذلك فاسأل المؤسسة.
verifier-failed-unlinked-title = هذه البطاقة لا توصل إلى حساب بعد
verifier-failed-unlinked-text = البطاقة سليمة، لكن لم يُضِفها أحد إلى حساب هنا.
verifier-failed-unlinked-next = سجّل الدخول بطريقة أخرى وأضِفها في صفحة حسابك، أو استعمل الرابط الذي أرسلته إليك المؤسسة.
verifier-failed-invitation-over-title = لم يعد هذا الرابط صالحًا
verifier-failed-invitation-over-text = استُعمل الرابط أو انتهى وقته. لم تُضَف البطاقة.
verifier-failed-invitation-over-next = اطلب رابطًا جديدًا من المؤسسة.
verifier-responsible = المسؤول عن بياناتك:
verifier-responsible-contact = للتواصل
verifier-responsible-address = العنوان
verifier-responsible-recipients = تُعطى أيضًا إلى
verifier-responsible-storage = محفوظة في (رموز البلدان)
verifier-responsible-kept = { $days ->
    [one] يحتفظ التطبيق بهذه المعلومات يومًا واحدًا.
    [two] يحتفظ التطبيق بهذه المعلومات يومين.
    [few] يحتفظ التطبيق بهذه المعلومات { $days } أيام.
   *[other] يحتفظ التطبيق بهذه المعلومات { $days } يومًا.
}
verifier-responsible-expires = { $days ->
    [one] تنتهي موافقتك بعد يوم واحد، ثم تُسأل مرة أخرى.
    [two] تنتهي موافقتك بعد يومين، ثم تُسأل مرة أخرى.
    [few] تنتهي موافقتك بعد { $days } أيام، ثم تُسأل مرة أخرى.
   *[other] تنتهي موافقتك بعد { $days } يومًا، ثم تُسأل مرة أخرى.
}
verifier-account-expired = انتهت مدتها في
verifier-account-replaced = وافقت مرة أخرى في
verifier-account-revoked = أُزيل التطبيق في
verifier-account-receipt-label = إيصال ما وافقت عليه مع { $app }
verifier-account-receipt-file = تنزيل
verifier-account-signed-label = إيصال موقّع لما وافقت عليه مع { $app }
verifier-account-signed-file = تنزيل موقّع
verifier-account-all-receipts = تنزيل كل الإيصالات
verifier-agree-title = هل توافق على ما يطلبه { $app }؟
verifier-agree-text = إن قلت لا فلن يعرف التطبيق شيئًا عنك، سوى أنك الشخص نفسه على الأكثر. يمكنك سحب موافقتك في أي وقت من صفحة حسابك.
verifier-agree-text-guest = إن قلت لا فلن يعرف التطبيق شيئًا عنك. يمكنك سحب موافقتك في أي وقت من محفظتك، مع ما وافقت عليه عند إظهار البطاقة.
verifier-agree-text-after = إن قلت لا فلن يعرف { $app } ذلك. تسجيل دخولك قائم في الحالتين. يمكنك سحب موافقتك في أي وقت من صفحة حسابك.
verifier-agree-yes = أوافق
verifier-agree-no = لا

# مفاتيح المرور
verifier-passkey-use = سجّل الدخول بمفتاح مرور
verifier-passkey-title = مفتاح مرورك
verifier-passkey-text = يريد { $app } أن يتأكد من أنك أنت. مفتاح مرورك يقول ذلك.
verifier-passkey-skip = المتابعة ببطاقتي
verifier-passkey-card = كان مفتاح مرورك صحيحًا. ومع ذلك نطلب بطاقتك مرة أخرى: لم تُظهِرها منذ وقت طويل، أو هناك أمر غير معتاد. بعدها يكفي مفتاح المرور من جديد.
verifier-passkey-problem = لم ينجح ذلك، ولم يتم تسجيل دخول أحد بعد. حاوِل مجددًا، أو أظهِر بطاقتك.
verifier-passkey-problem-add = لم يُضَف أي مفتاح مرور. حاوِل مجددًا. إن أظهرتَ بطاقتك قبل أكثر من عشر دقائق، فسجّل الدخول بها أولًا إلى تطبيق.
verifier-passkey-script = تحتاج مفاتيح المرور إلى JavaScript. كل ما عدا ذلك في هذه الصفحة يعمل من دونه.
verifier-passkey-name = ما تسمّي به مفتاح المرور الجديد، مثل اسم الجهاز
verifier-passkey-add = أضِف مفتاح مرور
verifier-upstream-title = تسجيل الدخول من مكان آخر
verifier-upstream-text = يريد { $app } أن يعرف أنك أنت. يمكن لحساب لديك في مكان آخر أن يقول ذلك.
verifier-upstream-links = يُربط الحساب الذي تختاره بحسابك هنا: ومنذ ذلك الحين يُدخلك.
verifier-upstream-use = المتابعة باستخدام { $name }
verifier-upstream-leave = تنتقل إلى صفحة ذلك المزوّد ثم تعود. يعرف أنك تسجّل الدخول هنا، ولا يعرف إلى أي تطبيق. ومما يقوله عنك لا نحتفظ إلا برقم يعرفك به دائمًا، على شكل بصمة مشفّرة.
verifier-new-passkey-title = أنشئ مفتاح مرور جديدًا
verifier-new-passkey-text = أثبتت بطاقتك أن الحساب لك. من الآن يُدخلك مفتاح المرور الجديد إلى { $app }.
verifier-new-passkey-problem = لم يُنشأ أي مفتاح مرور. حاوِل مجددًا.
verifier-new-passkey-script = لا يمكن إنشاء مفتاح مرور إلا باستعمال JavaScript، لأن المتصفح يطلبه من جهازك. فعِّل JavaScript لهذه الصفحة.
verifier-authenticator = تطبيق المصادقة
verifier-authenticator-text = تطبيق على هاتفك يعرض رمزًا جديدًا كل ثلاثين ثانية. تطلب بعض الخدمات هذا الرمز إلى جانب بطاقتك أو مفتاح مرورك أو حساب آخر. وهو وحده لا يُدخل أحدًا.
verifier-authenticator-add = أضِف تطبيق مصادقة
verifier-authenticator-since = أُضيف في
verifier-authenticator-remove = أزِل تطبيق المصادقة
verifier-authenticator-title = أضِف تطبيق مصادقة
verifier-authenticator-how = امسح الصورة بتطبيق المصادقة، ثم اكتب الرمز الذي يعرضه التطبيق.
verifier-authenticator-qr = رمز لمسحه بتطبيق المصادقة
verifier-authenticator-link = افتحه في التطبيق على هذا الجهاز
verifier-authenticator-secret = إذا لم تستطع المسح، فاكتب هذا المفتاح في التطبيق:
verifier-authenticator-once = يظهر هذا المفتاح هنا فقط. من يملكه يستطيع إنشاء رموزك: لا تُرِه أحدًا.
verifier-authenticator-code = الرمز الذي يعرضه التطبيق
verifier-authenticator-confirm = أضِفه
verifier-code-title = رمزك
verifier-code-text = يريد { $app } أيضًا رمزًا من تطبيق المصادقة لديك.
verifier-code-label = رمز تطبيق المصادقة
verifier-code-submit = تابِع
verifier-code-wrong = لم يكن هذا الرمز صحيحًا، أو سبق استخدامه. انتظر الرمز التالي في تطبيقك واكتبه.
verifier-code-warning = لا يتصل بك أحد ولا يراسلك ليطلب هذا الرمز. اكتبه هنا فقط.
verifier-kept-fact = للتعرّف عليك إن فقدتَ جهازك، على شكل بصمة: { $fact }
verifier-told-card = نوع البطاقة والجهة التي أصدرتها
verifier-told-verified = القواعد التي جرى التحقّق وفقها ومتى جرى ذلك
verifier-account-means-used = آخر استخدام في

# ما يُعرف عن الشخص
verifier-account-attributes = ما نعرفه عنك
verifier-account-attributes-text = قلتَه أو أظهرتَه ووافقتَ على أن نحفظه. لا تعرف التطبيقات إلا ما توافق على إظهاره لها.
verifier-attribute-yes = نعم
verifier-attribute-no = لا
verifier-attribute-choose = اختر
verifier-attribute-why = لأجل:
verifier-attribute-keep = { $days ->
    [one] نحذفه بعد يوم واحد.
    [two] نحذفه بعد يومين.
    [few] نحذفه بعد { $days } أيام.
    [many] نحذفه بعد { $days } يومًا.
   *[other] نحذفه بعد { $days } يوم.
}
verifier-attribute-until = محفوظ حتى
verifier-attribute-source-self = أنت قلتَه
verifier-attribute-source-upstream = قاله حساب آخر لك
verifier-attribute-source-wallet = قالته بطاقة أصدرها
verifier-attribute-remove-label = حذف: { $name }
verifier-attribute-correct = تصحيح: { $name }
verifier-attribute-add = إضافة: { $name }
verifier-attribute-agree = أوافق على أن تحفظوا هذا.
verifier-attribute-save = حفظ
verifier-attribute-save-label = حفظ: { $name }
verifier-attribute-wrong-empty = قل شيئًا هنا أو اترك السؤال.
verifier-attribute-wrong-too-long = هذا أطول مما ينبغي.
verifier-attribute-wrong-no-option = اختر إحدى الإجابات.
verifier-attribute-wrong-no-date = ليس هذا يومًا يمكننا قبوله.
verifier-attribute-wrong-unusable = فيه أحرف لا يمكننا قبولها.
verifier-attribute-wrong-not-agreed = لا نحفظ هذا إلا إذا وافقت. ضع علامة في المربع.
verifier-attribute-wrong-only-card = لا يمكن أن تقول هذا إلا بطاقة.
verifier-attribute-unreadable = نحتفظ هنا بشيء لم نعد نستطيع قراءته. لا يعلم به أحد. يمكنك حذفه.
verifier-account-yours = ما هو لك
verifier-account-yours-text = نزّل كل ما نعرفه عنك، أو احذف حسابك.
verifier-account-export = تنزيل ما تعرفونه عني
verifier-account-delete = حذف حسابي
verifier-account-delete-title = أتريد حذف حسابك؟
verifier-account-delete-text = نحذف كل ما نحتفظ به عنك هنا. تُسجَّل خروجك في كل مكان وتُبلَّغ تطبيقاتك. من يدخل لاحقًا ببطاقتك يحصل على حساب جديد لا تعرفه التطبيقات.
verifier-account-delete-fresh = يجب أن تكون قد أظهرت بطاقتك في الدقائق العشر الأخيرة.
verifier-account-delete-submit = حذف حسابي نهائيًا
verifier-account-back = العودة إلى حسابي
verifier-account-deleted-title = حُذف حسابك
verifier-account-deleted-text = حُذفت بياناتك هنا. تبقى في النسخ الاحتياطية السابقة إلى أن تُحذف، ويذكر سجلّ أن حسابًا حُذف. يمكنك إغلاق هذه الصفحة.
verifier-ask-title = سؤال آخر
verifier-ask-text = أنت داخل إلى { $app } في كل حال. وتحت كل سؤال كُتب الغرض من إجابتك.
verifier-ask-wallet = خذه من محفظتي: { $name }
verifier-ask-or = أو اكتبه بنفسك:
verifier-ask-from-card = تقول بطاقتك
verifier-ask-card-agree = احفظه وتابع
verifier-ask-card-no = لا تحفظه
verifier-ask-card-failed = لم تأتِ به محفظتك. يمكنك كتابته أو المتابعة من دونه.
verifier-ask-submit = حفظ ومتابعة
verifier-ask-skip = المتابعة من دونه
verifier-ask-choose-title = خذه من محفظتك
verifier-ask-choose-text = لا يُحفظ شيء قبل أن توافق في الصفحة التالية. لا يعرف { $app } منه شيئًا.
verifier-satisfaction-title = كيف كان تسجيل الدخول؟
verifier-satisfaction-text = تُعَدّ إجابتك، ولا يستطيع أحد أن يعرف أنها منك. ولكي لا يجيب أحد مرتين نسجّل أن هناك إجابة، لا ما هي.
verifier-satisfaction-1 = سيئ جدًّا
verifier-satisfaction-2 = سيئ
verifier-satisfaction-3 = متوسط
verifier-satisfaction-4 = جيد
verifier-satisfaction-5 = جيد جدًّا
verifier-satisfaction-link = سؤال واحد: كيف كان تسجيل الدخول؟
verifier-satisfaction-over-title = أُغلق هذا السؤال
verifier-satisfaction-over-text = نسأل مرة واحدة بعد كل تسجيل دخول، ولمدة ساعة.
verifier-satisfied-title = شكرًا لك
verifier-satisfied-text = عُدَّت إجابتك.
